"""Which test images the classifiers of both arms classify during their training too, to show how the accuracy grows."""

EVERY = 10  # every tenth one
