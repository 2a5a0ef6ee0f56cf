"""Where dsflow 0.3 has its helpers; see dsflow."""
