import type { CallsOf, Parts } from './parts.ts'

export function studyCalls({ keeper, handles }: Parts): CallsOf<'studies'> {
  return {
    'studies.list': async () => {
      const studies = await keeper.list()
      return Promise.all(studies.map(async ({ folder, name, runs, changed }) => ({ study: (await handles.give(folder)).handle, name, runs, changed })))
    },
    'studies.open': async ({ study }) => ({ name: (await keeper.open(handles.path(study))).name }),
    'studies.create': async ({ name }) => ({ name: (await keeper.create(name)).name }),
  }
}
