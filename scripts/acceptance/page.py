def written(setting): return "x"
