"""What a newsletter is: frozen records and pure functions, standard library only."""
