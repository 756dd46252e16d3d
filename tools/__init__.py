"""What builds and checks the project; README.md says what each part is for."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
