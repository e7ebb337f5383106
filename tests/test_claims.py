import pytest

from longtake.claims import camera_claims, light_claims

STATIC = [
    "The camera remains static throughout the clip.",
    "A static camera captures a busy street corner.",
    "The camera is stationary, filming the crowd from above.",
    "Camera stays completely still as the dancers cross the room.",
    "It is a fixed wide shot of a kitchen.",
    "The shot is static, with a man walking from left to right.",
    "There is no camera movement; the lake lies calm.",
    "Without any camera movement, the scene shows two people talking.",
    "The camera does not move while the train passes.",
    "The camera doesn't move at all.",
    "The camera angle is fixed, looking down on the table.",
    "The camera holds still while a boat moves to the right.",
    "The camera remains in a fixed position, and a woman stirs a frying pan.",
    "The camera is mostly static, as the dog runs towards the viewer.",
    "A static shot with no pans or zooms.",
]
NOT_STATIC = [
    "The camera is not static and drifts with the waves.",
    "The camera starts static and then follows the runner.",
    "The camera stays fixed on the runner as he sprints.",
    "The camera is still following the car.",
    "It is far from static: a handheld camera shakes with every step.",
    "Initially the camera is static.",
    "The camera is static before it pans across the hall.",
    "The camera follows the man. A static shot of the house closes the clip.",
    "A stationary car stands in the frame.",
    "A security camera is fixed to the wall above the door.",
    "His camera is still on the table.",
    "The picture frame is fixed to the wall.",
    "Static on the radio fills the room, a still life hangs behind it.",
    "A man takes a still photo of the stationary train.",
    "The dolly shot is smooth, and the actors stand motionless.",
    "The footage is shaky although the camera appears fixed.",
]
WAYS = {
    "The camera pans slowly to the right across the valley.": {"pan right"},
    "The camera slowly pans left, revealing a lighthouse.": {"pan left"},
    "As the camera pans from left to right, the whole square comes into view.": {"pan right"},
    "The camera pans from the right to the left.": {"pan left"},
    "Panning left, the shot takes in the market.": {"pan left"},
    "A slow pan to the right shows the skyline.": {"pan right"},
    "The camera tilts up towards the spire.": {"tilt up"},
    "The camera starts low and tilts downwards.": set(),
    "The camera gradually tilts downward.": {"tilt down"},
    "The camera zooms in on the woman's face.": {"zoom in"},
    "A slow zoom out ends the scene.": {"zoom out"},
    "The camera pulls back from the table.": {"zoom out"},
    "The camera moves steadily forward through the forest.": {"zoom in"},
    "The drone camera glides backwards over the sea.": {"zoom out"},
    "The camera pans left and then back to the right.": {"pan left", "pan right"},
    "The camera tilts up and pans right.": {"tilt up", "pan right"},
    "The camera moves to the right as the car turns left.": {"pan right"},
    "Starting still, the camera then slowly pans right.": {"pan right"},
    "The view shifts leftwards along the shelf.": {"pan left"},
}
NO_WAY = [
    "The camera follows a car that moves to the right.",
    "The camera does not pan left at any time.",
    "Without the camera panning right, the car leaves the picture.",
    "A car moves to the right while the camera watches.",
    "She puts the frying pan to the right of the stove.",
    "The woman tilts her head to the left and looks into the camera.",
    "The camera is placed to the left of the stage.",
    "The camera moves in on the left side of the bus.",
    "The camera moves right up to the door.",
    "The camera shows a man who turns left.",
    "The player takes a shot to the right of the goal.",
    "A photographer moves his camera to the left.",
    "On the right, a cat looks up; on the left, a dog looks down.",
    "The camera captures the birds as they fly left.",
    "He zooms in on a map on his phone.",
    "The camera pans across the room.",
    "The elevator moves up and the view is bright.",
]
DARK = [
    "The scene is dark, lit only by a candle.",
    "A man sits in complete darkness.",
    "Two people talk in a dimly lit room.",
    "The setting is very dark and quiet.",
    "It is a pitch-black night.",
]
BRIGHT = [
    "The scene is bright and open.",
    "Children play in bright sunlight.",
    "A brightly lit room with white walls.",
    "The street lies in broad daylight on a sunny day.",
    "The environment appears brightly lit.",
]
NEITHER = [
    "A man with dark hair and a dark suit smiles brightly.",
    "A girl in a bright red jacket stands beside a dark wooden door.",
    "The scene is not dark.",
    "A brightly coloured parrot sits on a branch.",
    "The room isn't brightly lit.",
    "Dark clouds gather over bright green fields.",
    "A bright light shines on the singer.",
    "The stage is brightly lit in the middle of the hall.",
]


@pytest.mark.parametrize("text", STATIC)
def test_a_static_camera_is_read(text: str) -> None:
    assert camera_claims(text) == {"static"}


@pytest.mark.parametrize("text", NOT_STATIC)
def test_what_is_no_static_camera(text: str) -> None:
    assert "static" not in camera_claims(text)


@pytest.mark.parametrize(("text", "ways"), WAYS.items())
def test_the_ways_of_the_camera_are_read(text: str, ways: set[str]) -> None:
    assert camera_claims(text) == ways


@pytest.mark.parametrize("text", NO_WAY)
def test_what_is_no_way_of_the_camera(text: str) -> None:
    assert camera_claims(text) <= {"static"}


@pytest.mark.parametrize(
    ("text", "light"),
    [*((t, {"dark"}) for t in DARK), *((t, {"bright"}) for t in BRIGHT), *((t, set()) for t in NEITHER)],
)
def test_the_light_of_the_picture_is_read(text: str, light: set[str]) -> None:
    assert light_claims(text) == light


@pytest.mark.parametrize(
    "text", ["", "...", "42", "\n\n", "Kamera schwenkt nach links.", "camera", "the camera pans to the"]
)
def test_nothing_is_read_where_nothing_is_said(text: str) -> None:
    assert camera_claims(text) == light_claims(text) == set()
