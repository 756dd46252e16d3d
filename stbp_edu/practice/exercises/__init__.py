"""What readers are asked: the exercises, what they are called with, and what is right."""
