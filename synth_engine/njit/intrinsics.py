"""Vector operations that Numba has no spelling for, as LLVM instructions; LLVM finds each CPU's own way to do them.

The arrays must be C-contiguous; positions count their elements from the first. Nothing is checked.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_BYTE, _WORD = ir.IntType(8), ir.IntType(64)
LANES = 8  # 64-bit words that `or_lanes` handles at once


@intrinsic
def popcount(_, bits):
    """Number of ones in a 64-bit word, as uint64."""
    return types.uint64(types.uint64), lambda context, builder, signature, args: builder.ctpop(args[0])


@intrinsic
def reverse_bytes_bits(_, bits):
    """Reverse the bits of each byte of a 64-bit word: columns in `numpy.packbits` order."""

    def lower(context, builder, signature, args):
        return builder.bswap(builder.bitreverse(args[0]))

    return types.uint64(types.uint64), lower


@intrinsic
def store_word(_, array, at, bits):
    """Store a word as bytes ``at`` … ``at + 7`` of a uint8 array, lowest first."""

    def lower(context, builder, signature, args):
        pointer = _pointer(context, builder, signature, args, 0, 1, _WORD)
        builder.store(args[2], pointer, align=1)
        return context.get_dummy_value()

    return types.void(array, types.uint64, types.uint64), lower


@intrinsic
def store_64_pixels(_, array, at, bits):
    """Store bits 0 … 63 of a word as bytes 0 or 1 from byte ``at`` of a uint8 array on."""
    return types.void(array, types.uint64, types.uint64), _store_pixels(8)


@intrinsic
def store_8_pixels(_, array, at, bits):
    """Store bits 0 … 7 of a word as bytes 0 or 1 from byte ``at`` of a uint8 array on."""
    return types.void(array, types.uint64, types.uint64), _store_pixels(1)


@intrinsic
def load_64_pixels(_, array, at):
    """Bytes ``at`` … ``at + 63`` of a uint8 array as bits 0 … 63 of a word, 1 where a byte is not 0."""
    return types.uint64(array, types.uint64), _load_pixels(64)


@intrinsic
def load_8_pixels(_, array, at):
    """Bytes ``at`` … ``at + 7`` of a uint8 array as bits 0 … 7 of a word, 1 where a byte is not 0."""
    return types.uint64(array, types.uint64), _load_pixels(8)


@intrinsic
def prefetch_line(_, array, at):
    """Ask for the cache line of byte ``at`` of a uint8 array, which will be written soon; it may lie past the end."""

    def lower(context, builder, signature, args):
        pointer, flag = _pointer(context, builder, signature, args, 0, 1, _BYTE), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), flag, flag, flag])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        to_write, keep, data = (ir.Constant(flag, value) for value in (1, 3, 1))
        builder.call(prefetch, [pointer, to_write, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.uint64), lower


@intrinsic
def copy_lanes(_, canvas, at, rows, source):
    """Copy `LANES` words of ``rows`` from ``source`` on into ``canvas`` from ``at`` on."""

    def lower(context, builder, signature, args):
        lanes = ir.VectorType(_WORD, LANES)
        bits = builder.load(_pointer(context, builder, signature, args, 2, 3, lanes), align=8)
        builder.store(bits, _pointer(context, builder, signature, args, 0, 1, lanes), align=8)
        return context.get_dummy_value()

    return types.void(canvas, types.uint64, rows, types.uint64), lower


@intrinsic
def or_lanes(_, canvas, at, beside, rows, source, left):
    """OR `LANES` words of ``rows`` from ``source`` on, shifted left by ``left`` < 64, into ``canvas`` from ``at`` on.

    What the shift pushes out is OR-ed in ``beside`` words further on.
    """

    def lower(context, builder, signature, args):
        lanes = ir.VectorType(_WORD, LANES)
        near = _pointer(context, builder, signature, args, 0, 1, lanes)
        args_far = (args[0], builder.add(args[1], args[2]))
        far = _pointer(context, builder, signature, args_far, 0, 1, lanes)
        bits = builder.load(_pointer(context, builder, signature, args, 3, 4, lanes), align=8)
        left = _splat(builder, args[5], LANES)
        right = builder.sub(ir.Constant(lanes, [63] * LANES), left)
        over = builder.lshr(builder.lshr(bits, ir.Constant(lanes, [1] * LANES)), right)
        builder.store(builder.or_(builder.load(near, align=8), builder.shl(bits, left)), near, align=8)
        builder.store(builder.or_(builder.load(far, align=8), over), far, align=8)
        return context.get_dummy_value()

    word = types.uint64
    return types.void(canvas, word, word, rows, word, word), lower


def _load_pixels(count):
    def lower(context, builder, signature, args):
        many = ir.VectorType(_BYTE, count)
        pixels = builder.load(_pointer(context, builder, signature, args, 0, 1, many), align=1)
        inked = builder.icmp_unsigned("!=", pixels, ir.Constant(many, [0] * count))
        bits = builder.bitcast(inked, ir.IntType(count))
        return bits if count == 64 else builder.zext(bits, _WORD)

    return lower


def _store_pixels(count_bytes):
    def lower(context, builder, signature, args):
        few, many = ir.VectorType(_BYTE, count_bytes), ir.VectorType(_BYTE, 8 * count_bytes)
        narrow = builder.trunc(args[2], ir.IntType(8 * count_bytes))
        spread = ir.Constant(ir.VectorType(ir.IntType(32), 8 * count_bytes), [i // 8 for i in range(8 * count_bytes)])
        parts = builder.bitcast(narrow, few)
        chosen = ir.Constant(many, [1 << (i % 8) for i in range(8 * count_bytes)])
        each = builder.and_(builder.shuffle_vector(parts, parts, spread), chosen)
        inked = builder.icmp_unsigned("==", each, chosen)
        pointer = _pointer(context, builder, signature, args, 0, 1, many)
        builder.store(builder.zext(inked, many), pointer, align=1)
        return context.get_dummy_value()

    return lower


def _pointer(context, builder, signature, args, array, at, to):
    """Pointer to element ``args[at]`` of the array ``args[array]``, as a pointer to ``to``."""
    data = cgutils.create_struct_proxy(signature.args[array])(context, builder, args[array]).data
    return builder.bitcast(builder.gep(data, [args[at]]), to.as_pointer())


def _splat(builder, value, count):
    lanes = ir.VectorType(_WORD, count)
    first = builder.insert_element(ir.Constant(lanes, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count))
