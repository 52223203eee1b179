import { createNetworkBuilder, type Network, type NetworkBuilder } from './layers.ts'

/** Multiply-adds of one image, in millions, which a test holds the networks to. */
export const expectedMillions = { small: 98, mobilenetV2: 301, resnet18: 1814 } as const

export const networkNames = ['small', 'mobilenetV2', 'resnet18'] as const

export function createNetwork(name: Network['name']): Network {
  const builder = createNetworkBuilder(name)
  const side = { small, mobilenetV2, resnet18 }[name](builder)
  return { name, side, ...builder.finish() }
}

/** After VGG, for images of 32 px. */
function small(net: NetworkBuilder): number {
  const conv = (x: string, out: number, size = 3): string => net.relu(net.conv(x, out, { size, bias: true }))
  let x = conv(conv('image', 64), 64)
  x = conv(conv(net.maxPool(x, 2, 2, 0), 128), 128)
  x = conv(net.maxPool(x, 2, 2, 0), 256, 1)
  net.dense(net.mean(x), 10)
  return 32
}

/** MobileNet V2 with width 1 (Sandler et al., 2018), 1000 classes. */
function mobilenetV2(net: NetworkBuilder): number {
  const relu6 = (x: string): string => net.relu(net.norm(x), 6)
  let x = relu6(net.conv('image', 32, { size: 3, stride: 2, linearInput: true }))
  let channels = 32
  const blocks = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]] as const
  for (const [expansion, out, repeats, firstStride] of blocks) {
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? firstStride : 1
      const wide = channels * expansion
      const expanded = expansion === 1 ? x : relu6(net.conv(x, wide, { size: 1, linearInput: true }))
      const filtered = relu6(net.conv(expanded, wide, { size: 3, stride, groups: wide }))
      const narrow = net.norm(net.conv(filtered, out, { size: 1 }), 0.5)
      x = stride === 1 && channels === out ? net.add(x, narrow) : narrow
      channels = out
    }
  }
  net.dense(net.mean(relu6(net.conv(x, 1280, { size: 1, linearInput: true }))), 1000)
  return 224
}

/** ResNet-18 (He et al., 2016), 1000 classes. */
function resnet18(net: NetworkBuilder): number {
  let x = net.relu(net.norm(net.conv('image', 64, { size: 7, stride: 2, linearInput: true })))
  x = net.maxPool(x, 3, 2, 1)
  for (const [i, out] of [64, 128, 256, 512].entries()) {
    for (let block = 0; block < 2; block++) {
      const stride = i > 0 && block === 0 ? 2 : 1
      const first = net.relu(net.norm(net.conv(x, out, { size: 3, stride })))
      const second = net.norm(net.conv(first, out, { size: 3 }), 0.5)
      const way = stride === 2 ? net.norm(net.conv(x, out, { size: 1, stride })) : x
      x = net.relu(net.add(second, way))
    }
  }
  net.dense(net.mean(x), 1000)
  return 224
}
