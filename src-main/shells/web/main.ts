process.stderr.write('The web shell is being built.\n')
