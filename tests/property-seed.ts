import fc from 'fast-check'

/** The same cases in every run, so that a failure is the change's doing; PROPERTY_SEED=$RANDOM looks for new ones. */
fc.configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 1) })
