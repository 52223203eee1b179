import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** The room that an element has, in CSS pixels. */
export function useRoom(element: Ref<HTMLElement | undefined>): Ref<{ width: number; height: number }> {
  const room = ref({ width: 480, height: 240 })
  let observer: ResizeObserver | undefined
  onMounted(() => {
    observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect
      // A view that is left has no size.
      if (width > 0 && height > 0) room.value = { width, height }
    })
    if (element.value) observer.observe(element.value)
  })
  onBeforeUnmount(() => observer?.disconnect())
  return room
}
