"""The model that krait trains, in plain PyTorch: Llama layout, squared ReLU without a gate."""

import torch
from torch import nn
from torch.nn import functional as F


def rotary_tables(length, head_width, theta=10000.0):
    """Cosines and sines, [length, head_width / 2] each."""
    frequencies = theta ** (-torch.arange(0, head_width, 2).float() / head_width)
    angles = torch.arange(length).float()[:, None] * frequencies[None, :]
    return angles.cos(), angles.sin()


def rotate(x, cosines, sines):
    """Half-rotated rotary embedding of [batch, heads, length, head_width], in float32."""
    first, second = x.float().chunk(2, dim=-1)
    return torch.cat(
        (first * cosines - second * sines, second * cosines + first * sines), -1).to(x.dtype)


class Norm(nn.Module):
    """RMSNorm that computes in float32 and answers in its input's type."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        wide = x.float()
        scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-5)
        return (wide * scale * self.weight).to(x.dtype)


class FeedForward(nn.Module):
    """Y = relu(X Uᵀ)² D."""

    def __init__(self, width, hidden):
        super().__init__()
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x):
        return self.down(F.relu(self.up(x)).square())


class Block(nn.Module):
    """Pre-norm attention with grouped queries, and feed-forward network."""

    def __init__(self, sizes):
        super().__init__()
        width = sizes.width
        self.heads, self.pairs = sizes.heads, sizes.key_value_heads
        self.head_width = sizes.head_width
        self.attention_norm = Norm(width)
        self.query_key_value = nn.Linear(
            width, (self.heads + 2 * self.pairs) * self.head_width, bias=False)
        self.attention_output = nn.Linear(self.heads * self.head_width, width, bias=False)
        self.feed_forward_norm = Norm(width)
        self.feed_forward = FeedForward(width, sizes.hidden)

    def forward(self, x, cosines, sines):
        batch, length, _ = x.shape
        packed = self.query_key_value(self.attention_norm(x))
        packed = packed.view(batch, length, -1, self.head_width).transpose(1, 2)
        query, key, value = packed.split((self.heads, self.pairs, self.pairs), dim=1)
        attended = F.scaled_dot_product_attention(
            rotate(query, cosines, sines), rotate(key, cosines, sines), value, is_causal=True,
            enable_gqa=self.pairs != self.heads)
        x = x + self.attention_output(attended.transpose(1, 2).reshape(batch, length, -1))
        return x + self.feed_forward(self.feed_forward_norm(x))


class ChunkedLoss(torch.autograd.Function):
    """Mean cross-entropy of x Wᵀ, computed some rows at a time together with its gradients, so
    that all tokens' logits are never in memory at once and none are computed twice."""

    @staticmethod
    def forward(context, x, weight, targets, rows):
        x_gradient = torch.empty_like(x)
        weight_gradient = torch.zeros_like(weight, dtype=torch.float32)
        total = torch.zeros((), device=x.device)
        for start in range(0, len(x), rows):
            part, wanted = x[start:start + rows], targets[start:start + rows]
            logits = part @ weight.T
            loss, gradient = compiled_chunk(logits, wanted, 1 / len(x))
            total += loss
            x_gradient[start:start + rows] = gradient @ weight
            weight_gradient += gradient.T @ part
        context.save_for_backward(x_gradient, weight_gradient.to(weight.dtype))
        return total

    @staticmethod
    def backward(context, up):
        x_gradient, weight_gradient = context.saved_tensors
        return x_gradient * up.to(x_gradient.dtype), weight_gradient * up.to(
            weight_gradient.dtype), None, None


def chunk(logits, targets, scale):
    """(loss, gradient of the logits) of some rows, both times `scale`."""
    wide = logits.float()
    top = torch.logsumexp(wide, 1)
    loss = (top - wide.gather(1, targets[:, None])[:, 0]).sum() * scale
    hot = torch.arange(wide.shape[1], device=wide.device)[None] == targets[:, None]
    return loss, (((wide - top[:, None]).exp() - hot.float()) * scale).to(logits.dtype)


compiled_chunk = torch.compile(chunk)


# Compiled as a whole, PyTorch 2.11 answers gradients of zero on a GPU; so only `chunk` is.
@torch.compiler.disable
def chunked_loss(x, weight, targets, rows):
    """`ChunkedLoss`, hidden from torch.compile."""
    return ChunkedLoss.apply(x, weight, targets, rows)


class Model(nn.Module):
    """Tokens to the mean loss of the tokens that follow. `sizes` has width, hidden, layers, heads,
    key_value_heads, head_width, vocabulary, sequence, theta, tied and loss_rows (0: all tokens'
    logits at once)."""

    def __init__(self, sizes):
        super().__init__()
        self.loss_rows = sizes.loss_rows
        self.embedding = nn.Embedding(sizes.vocabulary, sizes.width)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.layers))
        self.final_norm = Norm(sizes.width)
        self.output = nn.Linear(sizes.width, sizes.vocabulary, bias=False)
        cosines, sines = rotary_tables(sizes.sequence, sizes.head_width, sizes.theta)
        self.register_buffer("cosines", cosines)
        self.register_buffer("sines", sines)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
        if sizes.tied:
            self.output.weight = self.embedding.weight

    def forward(self, tokens, targets):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.cosines, self.sines)
        return self.loss(x, targets)

    def loss(self, x, targets):
        """Mean loss from the last block's output."""
        x = self.final_norm(x).flatten(0, 1)
        if self.loss_rows:
            return chunked_loss(x, self.output.weight, targets.flatten(), self.loss_rows)
        return F.cross_entropy(self.output(x).float(), targets.flatten())
