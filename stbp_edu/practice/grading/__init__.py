"""How an answer is graded: called, compared, and explained."""
