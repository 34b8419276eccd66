"""What reward models are fitted to and measured by: votes, groups, resampled people, baselines."""
