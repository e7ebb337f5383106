"""Asking models about kept clips: what is asked, what was answered, what is made of it, and what it costs."""
