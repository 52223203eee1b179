"""PyTorch on the processor, doing what bench/executors.ts does, for comparison.

    python3 bench/peers/pytorch.py FOLDER [THREADS]           times every network of the folder and prints one JSON document
    python3 bench/peers/pytorch.py FOLDER THREADS --serve     answers one JSON request a line, so that rounds can alternate

FOLDER holds NAME.json and NAME.bin for each network, as bench/networks/files.ts writes them: layers and float32 weights.
A network runs in evaluation mode, its weights without gradients. Four variants are tried: as built, with folded batch
normalisation, each also in channels_last; and several batches. For each job the fastest of them counts.
"""
import json
import os
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional as F


class Network(nn.Module):
    """Layers by name; what each reads is named."""

    def __init__(self, layers, weights):
        super().__init__()
        self.steps = [(layer['name'], layer['inputs'], layer['kind']) for layer in layers]
        self.modules_by_name = nn.ModuleDict()
        for layer in layers:
            module = build(layer)
            if module is None:
                continue
            state = {}
            for parameter in layer['parameters']:
                size = int(numpy.prod(parameter['shape']))
                values = weights[parameter['offset']:parameter['offset'] + size]
                state[parameter['name']] = torch.from_numpy(values.copy()).reshape(parameter['shape'])
            module.load_state_dict(state, strict=False)
            self.modules_by_name[layer['name']] = module
        self.last_use = {}
        for name, inputs, _ in self.steps:
            for read in inputs:
                self.last_use[read] = name

    def forward(self, image):
        values = {'image': image}
        for name, inputs, kind in self.steps:
            x = values[inputs[0]]
            if kind == 'add':
                out = x + values[inputs[1]]
            elif kind == 'mean':
                out = x.mean((2, 3))
            else:
                out = self.modules_by_name[name](x)
            for read in inputs:
                if self.last_use[read] == name:
                    values.pop(read, None)
            values[name] = out
        return out


def build(layer):
    kind = layer['kind']
    if kind == 'conv':
        bias = any(p['name'] == 'bias' for p in layer['parameters'])
        return nn.Conv2d(layer['channels'], layer['out'], layer['size'], layer['stride'], layer['pad'], groups=layer['groups'], bias=bias)
    if kind == 'norm':
        return nn.BatchNorm2d(layer['channels'])
    if kind == 'relu':
        return nn.ReLU(inplace=True) if layer['max'] is None else nn.ReLU6(inplace=True)
    if kind == 'maxPool':
        return nn.MaxPool2d(layer['size'], layer['stride'], layer['pad'])
    if kind == 'dense':
        return nn.Linear(layer['channels'], layer['out'])
    return None


def folded(layers, weights):
    """Batch normalisation taken into the convolution before it: other layers, other weights."""
    weights = weights.copy()
    extra, extent = [], len(weights)
    kept, renamed = [], {}
    by_name = {}
    for layer in layers:
        layer = dict(layer, inputs=[renamed.get(name, name) for name in layer['inputs']], parameters=list(layer['parameters']))
        if layer['kind'] != 'norm':
            kept.append(layer)
            by_name[layer['name']] = layer
            continue
        scale, shift, mean, variance = [weights[p['offset']:p['offset'] + layer['channels']] for p in layer['parameters']]
        conv = by_name[layer['inputs'][0]]
        renamed[layer['name']] = conv['name']
        place = conv['parameters'][0]
        factor = scale / numpy.sqrt(variance + 1e-5)
        size = int(numpy.prod(place['shape']))
        view = weights[place['offset']:place['offset'] + size].reshape(conv['out'], -1)
        view *= factor[:, None]
        extra.append((shift - mean * factor).astype(numpy.float32))
        conv['parameters'].append({'name': 'bias', 'shape': [conv['out']], 'offset': extent})
        extent += conv['out']
    return kept, numpy.concatenate([weights, *extra])


class Subject:
    """One network, as torchvision users run it and in the variant that is the fastest for each job."""

    def __init__(self, folder, name):
        with open(os.path.join(folder, name + '.json'), encoding='utf-8') as file:
            facts = json.load(file)
        weights = numpy.fromfile(os.path.join(folder, name + '.bin'), dtype='<f4')
        # The pictures of all engines are the same: images come as height, width, channel.
        image = numpy.fromfile(os.path.join(folder, name + '.image.bin'), dtype='<f4').reshape(facts['side'], facts['side'], 3)
        self.start = numpy.fromfile(os.path.join(folder, name + '.start.bin'), dtype='<f4').reshape(1, 1, facts['side'], facts['side'])
        self.side = facts['side']
        self.target = facts['target']
        self.image = torch.from_numpy(image.transpose(2, 0, 1)[None].copy())
        self.variants = {}
        for fold in (False, True):
            layers, values = folded(facts['layers'], weights) if fold else (facts['layers'], weights)
            for last in (False, True):
                network = Network(layers, values).eval().requires_grad_(False)
                if last:
                    network = network.to(memory_format=torch.channels_last)
                title = ('folded' if fold else 'plain') + (', channels_last' if last else '')
                self.variants[title] = (network, torch.channels_last if last else torch.contiguous_format)
        self.chosen = {kind: {job: ('plain', 1) for job in ('rise', 'integratedGradients', 'neuromask')} for kind in ('usual', 'tuned')}
        self.kind = 'usual'

    def logits(self):
        with torch.no_grad():
            return {title: network(self.image.contiguous(memory_format=layout))[0].tolist() for title, (network, layout) in self.variants.items()}

    def calibrate(self):
        """Milliseconds per image of a forward pass and of a gradient, and the choices for each job: usual is plain, in its fastest batch."""
        rows = []
        for title, (network, layout) in self.variants.items():
            def forward(images):
                with torch.no_grad():
                    network(images)

            for job, batches, work in (('forward', (1, 8, 32), forward), ('gradient', (1, 5, 10), lambda images: self.gradient(network, images))):
                fastest = float('inf')
                for batch in batches:
                    images = self.image.repeat(batch, 1, 1, 1).contiguous(memory_format=layout).requires_grad_(job == 'gradient')
                    each = timed(lambda: work(images)) / batch
                    rows.append({'job': job, 'variant': title, 'batch': batch, 'milliseconds': round(each, 3)})
                    # Larger ones would be slower still.
                    if each > 1.1 * fastest:
                        break
                    fastest = min(fastest, each)
        for job, of, most in (('rise', 'forward', 32), ('integratedGradients', 'gradient', 10), ('neuromask', 'gradient', 1)):
            fit = [row for row in rows if row['job'] == of and row['batch'] <= most]
            for kind in ('usual', 'tuned'):
                best = min((row for row in fit if kind == 'tuned' or row['variant'] == 'plain'), key=lambda row: row['milliseconds'])
                self.chosen[kind][job] = (best['variant'], best['batch'])
        said = {kind: {job: f'{title}, batch {batch}' for job, (title, batch) in jobs.items()} for kind, jobs in self.chosen.items()}
        return {'rows': rows, 'chosen': said}

    def gradient(self, network, images):
        score = network(images)[:, self.target].sum()
        return torch.autograd.grad(score, images)[0]

    def neuromask(self, steps):
        """The published ImageNet setting: w per pixel over black, T = .3, λ = (.4, .35, .03), 5×5 high-pass, RMSProp from ones."""
        network, layout = self.variants[self.chosen[self.kind]['neuromask'][0]]
        image = self.image.contiguous(memory_format=layout)
        target = torch.tensor([self.target])
        kernel = -torch.ones(1, 1, 5, 5)
        kernel[0, 0, 2, 2] = 24
        w = torch.from_numpy(self.start.copy()).requires_grad_(True)
        square = torch.ones_like(w)
        for _ in range(steps):
            masked = image * torch.sigmoid(w / 0.3)
            loss = 0.4 * F.cross_entropy(network(masked), target) + 0.35 * (w + 10).abs().mean() + 0.03 * F.conv2d(w, kernel).square().mean()
            gradient, = torch.autograd.grad(loss, w)
            with torch.no_grad():
                square.mul_(0.9).addcmul_(gradient, gradient, value=0.1)
                w.addcdiv_(gradient, (square + 1e-10).sqrt_(), value=-0.03)
            # What a run shows at every step.
            total = loss.item()
        return total

    def rise(self, count):
        title, batch = self.chosen[self.kind]['rise']
        network, layout = self.variants[title]
        cell = -(-self.side // 7)
        generator = torch.Generator().manual_seed(1)
        total = torch.zeros(self.side, self.side)
        with torch.no_grad():
            for begin in range(0, count, batch):
                part = min(batch, count - begin)
                grids = (torch.rand(part, 1, 8, 8, generator=generator) < 0.5).float()
                large = F.interpolate(grids, size=(8 * cell, 8 * cell), mode='bilinear', align_corners=False)
                places = torch.randint(0, cell, (part, 2), generator=generator).tolist()
                masks = torch.stack([large[i, :, y:y + self.side, x:x + self.side] for i, (y, x) in enumerate(places)])
                masked = (self.image * masks).contiguous(memory_format=layout)
                weights = network(masked).softmax(1)[:, self.target]
                total += (weights[:, None, None] * masks[:, 0]).sum(0)
        return float((total / (count * 0.5)).sum())

    def integrated_gradients(self, steps):
        title, batch = self.chosen[self.kind]['integratedGradients']
        network, layout = self.variants[title]
        total = torch.zeros_like(self.image)
        shares = (torch.arange(steps) + 0.5) / steps
        for begin in range(0, steps, batch):
            images = (shares[begin:begin + batch, None, None, None] * self.image).contiguous(memory_format=layout).requires_grad_(True)
            total += self.gradient(network, images).sum(0, keepdim=True)
        return float((total * self.image / steps).sum())


def timed(work, least=2):
    """The fastest of a few calls after one, in milliseconds."""
    work()
    best, begin = float('inf'), time.perf_counter()
    rounds = 0
    while rounds < least or (rounds < 8 and time.perf_counter() - begin < 0.15):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
        rounds += 1
    return best * 1000


def answer(subjects, folder, request):
    name = request['network']
    if request['do'] == 'load':
        subjects.clear()
        subjects[name] = Subject(folder, name)
        return {'logits': subjects[name].logits()}
    subject = subjects[name]
    if request['do'] == 'calibrate':
        return subject.calibrate()
    work = {'neuromask': subject.neuromask, 'rise': subject.rise, 'integratedGradients': subject.integrated_gradients}[request['do']]
    subject.kind = request['kind']
    start = time.perf_counter()
    result = work(request['count'])
    return {'milliseconds': (time.perf_counter() - start) * 1000, 'result': result}


def serve(folder):
    subjects = {}
    print(json.dumps({'version': torch.__version__, 'threads': torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(subjects, folder, json.loads(line))), flush=True)


def measure(folder, rounds=3):
    networks = {}
    for name in ('small', 'mobilenetV2', 'resnet18'):
        if not os.path.exists(os.path.join(folder, name + '.json')):
            continue
        subjects = {}
        answer(subjects, folder, {'do': 'load', 'network': name})
        found = answer(subjects, folder, {'do': 'calibrate', 'network': name})
        for title, do, count in (('neuromask100', 'neuromask', 100), ('rise512', 'rise', 512), ('integratedGradients50', 'integratedGradients', 50)):
            found[title] = {}
            for kind in ('usual', 'tuned'):
                request = {'do': do, 'network': name, 'count': count, 'kind': kind}
                times = sorted(answer(subjects, folder, request)['milliseconds'] for _ in range(rounds))
                found[title][kind] = round(times[rounds // 2], 1)
        networks[name] = found
    return {'version': torch.__version__, 'threads': torch.get_num_threads(), 'networks': networks}


if __name__ == '__main__':
    plain = [argument for argument in sys.argv[1:] if not argument.startswith('--')]
    torch.set_num_threads(int(plain[1]) if len(plain) > 1 else 2)
    if '--serve' in sys.argv:
        serve(plain[0])
    else:
        print(json.dumps(measure(plain[0]), indent=2))
