"""Measures how fast the project is, compared with other libraries and with the limit of the machine."""
