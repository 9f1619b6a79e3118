"""The course as files to hand out: one archive for students, one for the lecturer, and a site for the browser."""
