"""What every training uses: TensorFlow, random seeds, the preparation of images, networks, and the training loop."""
