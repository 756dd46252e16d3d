"""What the pages of docs/ show: records of measurements, and drawings of the code."""
