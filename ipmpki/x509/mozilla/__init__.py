"""Mozilla's root certificates: its ``certdata.txt`` read, filtered and written as a bundle of authorities."""
