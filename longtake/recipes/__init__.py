"""The recipes that come with longtake: one TOML file each."""
