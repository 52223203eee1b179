import { ref, watch } from 'vue'

const kept = 'maskscope-view'

/** The id of the view that is shown; a window that is loaded anew shows the same. */
export const viewShown = ref(sessionStorage.getItem(kept) ?? 'explain')

watch(viewShown, (view) => sessionStorage.setItem(kept, view))
