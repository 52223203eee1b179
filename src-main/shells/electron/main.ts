process.stderr.write('The desktop shell is being built.\n')
