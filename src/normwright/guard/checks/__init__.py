"""The checks that ship with the package: what each sees, and what it leaves to the others."""
