"""A patch series as one object: read, applied aside, judged after every patch."""
