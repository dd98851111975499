"""The counter where citizens' messages come in: each is answered and stored together with its answer."""
