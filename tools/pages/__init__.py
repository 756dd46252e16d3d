"""What the pages of docs/ show: numbers and figures from the records, drawings of the code."""
