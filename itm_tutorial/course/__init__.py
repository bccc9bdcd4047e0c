"""The course as a whole: notebooks, sweeps, the leaderboard, the doctor, and generated pages."""
