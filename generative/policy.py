"""Which step comes next? The network: rollouts -> probabilities of sites and entries.

A graph network (GINE) reads every unit of the vocabulary; a causal transformer reads the
units placed so far, its attention biased by their distance in the tree. From its last
token one head points at a site (or STOP), a second chooses the entry placed there. Each
step is a proper probability over legal actions, so the likelihood of a rollout is exact.

References
----------
.. [1] W. Hu et al., ICLR 2020, arXiv:1905.12265: graph isomorphism network with bond
   features (GINE), here as PyTorch Geometric implements it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from discovery.extras import needs
from generative.construction import FREE, Prices
from generative.encoding import ELEMENTS, MAX_DISTANCE, MAX_FREE, MAX_INDEX, Rows, unit_graphs
from generative.vocabulary import Vocabulary
from generative.wishes import FEATURES

with needs("generative"):
    import torch
    import torch.nn.functional as F
    from torch import Tensor, nn
    from torch_geometric.nn import GINEConv, global_add_pool


MAX_STEPS = 64
NEVER = -1e9
STYLES = 8


@dataclass(frozen=True)
class Shape:
    """Sizes of the network."""

    width: int = 128
    layers: int = 4
    heads: int = 4
    unit_width: int = 64
    unit_layers: int = 3
    common: int = 512  # entries chosen in one softmax; rarer ones behind a gate, in a second

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Read:
    """A vocabulary as the unit encoder read it."""

    atom: Tensor  # [atom, unit_width]
    entry: Tensor  # [entry, unit_width] for the head that chooses entries
    bias: Tensor  # [entry]
    token: Tensor  # [entry, width] for the trunk
    common: Tensor  # [`spot` of a site, common + 1] bool: legal, the last is the gate to rare ones
    rare: Tensor  # [spot, rare] bool
    takes: Tensor  # [spot] bool: anything at all
    kind: Tensor  # [atom]


class Policy(nn.Module):
    """The network; one instance serves any vocabulary that begins with the one it was trained on."""

    def __init__(self, shape: Shape, entries: int) -> None:
        super().__init__()
        d, g = shape.width, shape.unit_width
        self.shape = shape
        self.atom_in = nn.ModuleList(nn.Embedding(n, g) for n in (len(ELEMENTS) + 1, 5, MAX_FREE + 1, 2, 2))
        self.bond_in = nn.Embedding(4, g)
        self.convs = nn.ModuleList(
            GINEConv(nn.Sequential(nn.Linear(g, g), nn.SiLU(), nn.Linear(g, g)))
            for _ in range(shape.unit_layers)
        )
        self.conv_norms = nn.ModuleList(nn.LayerNorm(g) for _ in range(shape.unit_layers))
        self.order_in = nn.Embedding(4, g)
        self.entry_mix = nn.Linear(3 * g, g)
        self.entry_out = nn.Sequential(nn.SiLU(), nn.Linear(g, g))
        self.entry_token = nn.Sequential(nn.SiLU(), nn.Linear(g, d))
        self.common = min(shape.common, entries)
        self.entry_bias = nn.Parameter(torch.zeros(entries))
        self.gate = nn.Linear(g, 1)

        self.opening = nn.Parameter(torch.zeros(d))
        self.how = nn.Embedding(2, d)
        self.style = nn.Embedding(STYLES, d)
        self.wishes = nn.Linear(FEATURES, d, bias=False)
        self.step = nn.Embedding(MAX_STEPS + 1, d)
        self.place_index = nn.Embedding(MAX_INDEX, g)
        self.place_distance = nn.Embedding(MAX_DISTANCE + 1, g)
        self.parent_in = nn.Linear(2 * g, d)
        self.far = nn.Embedding(MAX_DISTANCE + 1, shape.heads)
        self.blocks = nn.ModuleList(Block(d, shape.heads) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(d)

        self.stop = nn.Linear(d, 1)
        self.query = nn.Linear(d, d)
        self.key_token = nn.Linear(d, d)
        self.key_atom = nn.Linear(3 * g, d)
        self.key_out = nn.Sequential(nn.SiLU(), nn.Linear(d, d))
        self.by_free = nn.Linear(d, MAX_FREE + 1)
        self.by_far = nn.Linear(d, MAX_DISTANCE + 1)
        self.choose_token = nn.Linear(d, d)
        self.choose_site = nn.Linear(d, d)
        self.free_in = nn.Embedding(MAX_FREE + 1, d)
        self.choose_out = nn.Sequential(nn.SiLU(), nn.Linear(d, d), nn.SiLU(), nn.Linear(d, g))
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.1)
        nn.init.zeros_(self.wishes.weight)  # until it is taught otherwise, asking changes nothing

    @property
    def layers(self) -> Sequence[Block]:
        return cast(Sequence[Block], self.blocks)

    def read(self, vocabulary: Vocabulary, graphs: Any = None) -> Read:
        """Encode all units and entries of a vocabulary; do it once, and again after every update."""
        tables = vocabulary.tables
        device = self.opening.device
        graphs = (unit_graphs(vocabulary) if graphs is None else graphs).to(device)
        x = sum(layer(graphs.x[:, i]) for i, layer in enumerate(self.atom_in))
        bonds = self.bond_in(graphs.edge_attr)
        for conv, norm in zip(self.convs, self.conv_norms, strict=True):
            x = x + conv(norm(x), graphs.edge_index, bonds)
        pooled = global_add_pool(x, graphs.batch, len(vocabulary.units)) / 3.0
        entry_atom = torch.as_tensor(tables.entry_atom, device=device)
        attached = x[entry_atom.clamp(min=0)] * (entry_atom >= 0)[:, None].to(x.dtype)
        order = self.order_in(torch.as_tensor(tables.entry_order, device=device))
        mixed = self.entry_mix(
            torch.cat([attached, pooled[torch.as_tensor(tables.entry_unit, device=device)], order], dim=-1)
        )
        known = self.entry_bias
        bias = F.pad(known, (0, len(vocabulary.entries) - len(known)), value=0.0)
        if len(vocabulary.entries) > len(known):
            # a unit never trained on is as likely as the rarest tenth, before the network judges it
            bias = torch.cat([known, known.detach().float().quantile(0.1).expand(len(bias) - len(known))])
        prices = Prices.of(vocabulary)
        legal = torch.from_numpy(prices.placeable & prices.usable).to(device)
        rare = legal[:, self.common :]
        common = torch.cat([legal[:, : self.common], rare.any(1, keepdim=True)], dim=1)
        return Read(
            x,
            self.entry_out(mixed),
            bias,
            self.entry_token(mixed),
            common,
            rare,
            common.any(1),
            torch.as_tensor(tables.kind, device=device),
        )

    def forward(self, vocabulary: Vocabulary, graphs: Any, rows: Rows) -> tuple[Tensor, Tensor]:
        """As `log_likelihood`, reading the vocabulary first; the door for training."""
        return self.log_likelihood(self.read(vocabulary, graphs), rows)

    def log_likelihood(self, read: Read, rows: Rows) -> tuple[Tensor, Tensor]:
        """Log-probability of each row's sites (with STOP) and entries.

        Returns
        -------
        site, entry : [row]
            Their sum is the exact log-likelihood of the rollout.
        """
        hidden = self.trunk(read, rows)
        stop, site = self.point(read, rows, hidden)
        width = site.shape[-1]
        scores = torch.cat([site, stop], dim=-1).float()
        site_log = torch.log_softmax(scores, dim=-1)
        length = rows.live.sum(1)
        token = torch.arange(rows.live.shape[1] + 1, device=length.device)
        asked = (token >= 1) & (token <= length[:, None])  # a site (or STOP) is chosen after every unit
        picked = site_log.gather(-1, rows.target_site[..., None])[..., 0]
        site_sum = torch.where(asked, picked, 0.0).sum(-1)

        # entries: step t is chosen from token t; step 0 is the root, from the opening token
        n, steps = rows.entry.shape
        choice = rows.target_site[:, :steps].clamp(max=width - 1)
        keys = self.site_keys(read, rows, hidden)
        chosen = keys.gather(1, choice[..., None].expand(-1, -1, keys.shape[-1]))
        free = rows.free[:, :steps].gather(-1, choice[..., None])[..., 0]
        is_root = torch.arange(steps, device=choice.device) == 0
        z = self.choose(hidden[:, :steps], chosen, free, is_root)
        row = torch.where(is_root, 0, spot(read.kind[rows.site_atom.gather(1, choice)], free))
        live = rows.live
        entry_log = self.entry_log(read, z[live], row[live], rows.entry[live])
        entry_sum = (
            torch.zeros(n, steps, device=z.device, dtype=entry_log.dtype)
            .masked_scatter(live, entry_log)
            .sum(-1)
        )
        return site_sum, entry_sum

    def entry_log(self, read: Read, z: Tensor, row: Tensor, taken: Tensor) -> Tensor:
        """Log-probability of the entries taken, [choice]; `row` is the site's row of the tables of legal entries."""
        scores = self.common_scores(read, z, row)
        is_rare = taken >= self.common
        log = -F.cross_entropy(scores, taken.clamp(max=self.common), reduction="none")
        if bool(is_rare.any()):
            scores = self.rare_scores(read, z[is_rare], row[is_rare])
            found = scores.gather(-1, (taken[is_rare] - self.common)[:, None])[:, 0]
            log = log.masked_scatter(is_rare, log[is_rare] + found - torch.logsumexp(scores, dim=-1))
        return log

    def common_scores(self, read: Read, z: Tensor, row: Tensor) -> Tensor:
        """[choice, common + 1]; the last opens the gate to rare entries."""
        n = self.common
        scores = F.linear(z, read.entry[:n], read.bias[:n].to(z.dtype))
        return torch.cat([scores, self.gate(z)], dim=-1).float().masked_fill(~read.common[row], NEVER)

    def rare_scores(self, read: Read, z: Tensor, row: Tensor) -> Tensor:
        """[choice, entry beyond the common ones]"""
        n = self.common
        scores = F.linear(z, read.entry[n:], read.bias[n:].to(z.dtype)).float()
        return scores.masked_fill(~read.rare[row], NEVER)

    def trunk(self, read: Read, rows: Rows) -> Tensor:
        """[row, token, width]"""
        n, steps = rows.entry.shape
        parent = torch.cat([read.atom[rows.parent_atom], self.place_index(rows.parent_index)], dim=-1)
        not_root = (torch.arange(steps, device=rows.entry.device) > 0)[None, :, None]
        x = (
            read.token[rows.entry]
            + self.parent_in(parent) * not_root.to(parent.dtype)
            + self.step.weight[1 : steps + 1]
        )
        x = torch.cat([(self.opening + self.step.weight[0]).expand(n, 1, -1), x], dim=1)
        asked = self.wishes(rows.wishes.to(x.dtype))
        x = x + (self.how(rows.order) + self.style(rows.style) + asked)[:, None]
        causal = torch.ones(steps + 1, steps + 1, dtype=torch.bool, device=x.device).tril()
        bias = self.far(rows.distance).permute(0, 3, 1, 2)
        bias = bias.masked_fill(~causal, NEVER if bias.dtype == torch.float32 else -1e4)
        for block in self.layers:
            x = block(x, bias)
        result: Tensor = self.norm(x)
        return result

    def site_keys(self, read: Read, rows: Rows, hidden: Tensor) -> Tensor:
        """[row, site, width]: what an atom is in its unit, and its unit in the molecule."""
        unit_ = hidden.gather(1, rows.site_token[..., None].expand(-1, -1, hidden.shape[-1]))
        return self.keys(read, unit_, rows.site_atom, rows.site_index, rows.site_distance)

    def keys(self, read: Read, unit_: Tensor, atom: Tensor, index: Tensor, distance: Tensor) -> Tensor:
        place = torch.cat([read.atom[atom], self.place_index(index), self.place_distance(distance)], dim=-1)
        result: Tensor = self.key_out(self.key_token(unit_) + self.key_atom(place))
        return result

    def point(self, read: Read, rows: Rows, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """STOP [row, token, 1] and sites [row, token, site]; a site that is closed or to come is NEVER."""
        keys = self.site_keys(read, rows, hidden)
        distance = rows.distance.gather(2, rows.site_token[:, None].expand(-1, rows.distance.shape[1], -1))
        scores = self.query(hidden) @ keys.transpose(1, 2) / self.shape.width**0.5
        scores = (
            scores + self.by_free(hidden).gather(-1, rows.free) + self.by_far(hidden).gather(-1, distance)
        )
        closed = (rows.free < 1) | ~read.takes[spot(read.kind[rows.site_atom][:, None], rows.free)]
        never = NEVER if scores.dtype == torch.float32 else -1e4
        return self.stop(hidden).masked_fill(~rows.may_stop[..., None], never), scores.masked_fill(
            closed, never
        )

    def choose(self, hidden: Tensor, site: Tensor, free: Tensor, is_root: Tensor) -> Tensor:
        """What kind of entry is wanted at a site, [..., unit_width]."""
        at = (self.choose_site(site) + self.free_in(free)) * (~is_root)[..., None].to(site.dtype)
        result: Tensor = self.choose_out(self.choose_token(hidden) + at)
        return result


class Block(nn.Module):
    """Attention with an additive bias, and a gated feed-forward, each on a normed input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_a, self.norm_b = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.gate = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(2 * width, width, bias=False)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """[row, token, width] and bias [row, head, token, token]."""
        q, k, v = self.heads_of(self.qkv(self.norm_a(x)))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.feed(x)

    def heads_of(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        n, tokens, _ = qkv.shape
        q, k, v = qkv.view(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        return q, k, v

    def feed(self, x: Tensor) -> Tensor:
        up, gate = self.gate(self.norm_b(x)).chunk(2, dim=-1)
        result: Tensor = self.down(up * F.silu(gate))
        return result


def spot(kind: Tensor, free: Tensor) -> Tensor:
    """Of a site the row of the tables of legal entries, as `Prices.sites` has it; 0 is the opening."""
    return 1 + kind * (FREE + 1) + free.clamp(max=FREE)
