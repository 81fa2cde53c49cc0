"""What TensorFlow 1's own tutorials import."""
