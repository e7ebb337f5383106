"""Shots in, clips out: each file holds one way to make them."""
