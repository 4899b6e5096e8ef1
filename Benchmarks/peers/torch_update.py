"""Clipped AdamW on float32 masters of bfloat16 weights: one compiled kernel per tensor.

PyTorch's fused AdamW wants gradients of the masters' type: converting them, scaling them by the
clipping factor and copying the masters back are passes of their own. Here Inductor makes one
kernel of it all, that reads and writes every number once.
"""

import torch


def adamw(master, weight, gradient, mean, square, constants):
    """In place; `constants` is (decay, rate, 1 − β₁ᵗ, 1 − β₂ᵗ, clipping factor) on the device."""
    decay, rate, first, second, scale = constants.unbind()
    wide = gradient.float() * scale
    mean.mul_(0.9).add_(wide, alpha=0.1)
    square.mul_(0.95).add_(wide * wide, alpha=0.05)
    master.mul_(1 - rate * decay)
    master.sub_(rate / first * mean / ((square / second).sqrt() + 1e-8))
    weight.copy_(master)


class Update:
    """The optimizer of a model; `rate` may be set between steps."""

    def __init__(self, parameters, compiled, stored=torch.bfloat16):
        self.parameters = parameters
        self.masters = [p.detach().float().clone().view(-1) for p in parameters]
        for parameter in parameters:
            if parameter.dim() == 2:
                parameter.data = parameter.data.to(stored, copy=True)
        self.means = [torch.zeros_like(m) for m in self.masters]
        self.squares = [torch.zeros_like(m) for m in self.masters]
        device = parameters[0].device
        self.count = torch.zeros((), device=device)
        self.rate = torch.tensor(1e-4, device=device)
        # Of vectors, and of matrices.
        self.decays = torch.tensor([0.0, 0.1], device=device)
        # Sizes are dynamic: one compilation serves matrices of every shape.
        self.adamw = torch.compile(adamw, dynamic=True) if compiled else adamw

    @torch.no_grad()
    def step(self):
        """Applies the parameters' gradients and drops them; the norm stays on the device."""
        gradients = [p.grad for p in self.parameters]
        # The sum over a CPU tensor loses digits in float32.
        wide = torch.float64 if gradients[0].device.type == "cpu" else torch.float32
        norms = torch._foreach_norm(gradients, 2, dtype=wide)
        norm = torch.linalg.vector_norm(torch.stack(norms)).float()
        self.count += 1
        common = (self.rate, 1 - 0.9 ** self.count, 1 - 0.95 ** self.count,
                  (1 / norm.clamp(min=1e-12)).clamp(max=1))
        constants = [torch.stack((decay, *common)) for decay in self.decays]
        for index, parameter in enumerate(self.parameters):
            self.adamw(
                self.masters[index], parameter.data.view(-1), gradients[index].reshape(-1),
                self.means[index], self.squares[index], constants[parameter.dim() == 2])
            parameter.grad = None
        return norm
