using System.Numerics;
using System.Runtime.CompilerServices;

namespace Optc.Formats.EthosU;

/// <summary>Where Arm's encoder begins a new palette: one pass over the weights that guesses from windows of non-zero ones.</summary>
/// <remarks>
/// A state machine whose every rounding shows in the bytes. For windows of 32 to 512 non-zero weights it compares the index bits that a
/// palette made for the window would save (in fifteenths and sixteenths) with the bits of its entries.
/// </remarks>
internal sealed class SectionSplitter
{
    private const int LongestPalette = PaletteSetup.MaxPalette;

    private const int SmallestWindow = 32;

    private const int LargestWindow = 512;

    private const int MaxIndexBits = 8;

    // Of the last non-zero weights: more than any window looks back.
    private const int Remembered = 4 * LargestWindow;

    private readonly int[] _lastSeen = new int[WeightSymbol.Count];
    private readonly int[] _nonZero = new int[Remembered];
    private readonly List<int> _starts = [0];
    private int _nonZeros;
    private int _start;
    private int _size;
    private int _zeros;
    private bool _hasPalette;

    private SectionSplitter() => Array.Fill(_lastSeen, -1);

    /// <summary>The starts of all sections, ascending from 0.</summary>
    public static List<int> Split(ReadOnlySpan<ushort> symbols)
    {
        SectionSplitter splitter = new();
        splitter.Pass(symbols);
        return splitter._starts;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Pass(ReadOnlySpan<ushort> symbols)
    {
        int[] lastSeen = _lastSeen;
        int[] nonZero = _nonZero;
        int start = _start;
        int zeros = _zeros;
        int nonZeros = _nonZeros;
        bool hasPalette = _hasPalette;
        for (int i = 0; i < symbols.Length; i++)
        {
            int symbol = symbols[i] & (WeightSymbol.Count - 1);
            int left = zeros > (i - start) / 4 ? 1 : 0;
            if (hasPalette && lastSeen[symbol] < start)
            {
                _size++;
                if (IsFull(i - start - zeros, left))
                {
                    _starts.Add(i);
                    start = i;
                    hasPalette = false;
                    zeros = 0;
                }
            }

            lastSeen[symbol] = i;
            nonZero[nonZeros & (Remembered - 1)] = i;
            nonZeros += symbol == 0 ? 0 : 1;
            zeros += symbol == 0 ? 1 : 0;

            int count = i - start - zeros;
            if ((count & (SmallestWindow - 1)) == 0 && count > 0)
            {
                (_start, _zeros, _nonZeros, _hasPalette) = (start, zeros, nonZeros, hasPalette);
                TryWindows(i, left);
                (start, zeros, hasPalette) = (_start, _zeros, _hasPalette);
            }
        }
    }

    /// <summary>A new value does not fit the palette, which has served long enough or cannot grow.</summary>
    private bool IsFull(int served, int left)
    {
        int grown = _size - 1 - left;
        return (grown == 0 || (grown > 0 && BitOperations.IsPow2(grown))) && (served > LargestWindow || _size - left > LongestPalette);
    }

    private void TryWindows(int i, int left)
    {
        for (int window = SmallestWindow; window <= LargestWindow; window *= 2)
        {
            int count = i - _start - _zeros;
            if (count <= 0 || (count & (window - 1)) != 0)
            {
                // Larger windows are multiples of this one.
                return;
            }

            int length = window * (_hasPalette ? 2 : 1);
            if ((count & (length - 1)) == 0)
            {
                TryPalette(i, length, left);
            }
        }
    }

    /// <summary>Begins a palette <paramref name="length"/> non-zero weights before <paramref name="i"/> if that saves bits.</summary>
    private void TryPalette(int i, int length, int left)
    {
        int back = length + 2;
        int candidate = _nonZeros >= back ? _nonZero[(_nonZeros - back) & (Remembered - 1)] : -1;
        bool isInside = candidate >= _start;
        candidate = isInside ? candidate : _start;
        int values = CountSeenFrom(candidate);
        int gain = _hasPalette
            ? (length * 15 * (IndexBits(_size - left) - IndexBits(values - left)) / 16) - (8 * values) - 20
            : values - left <= LongestPalette
                ? (length * (90 - (15 * IndexBits(values - left))) / 16) - (8 * values) - 20
                : 0;
        if (gain <= 0)
        {
            return;
        }

        _size = values;
        _hasPalette = true;
        _start = candidate;
        if (_starts[^1] != candidate)
        {
            _starts.Add(candidate);
        }

        _zeros = isInside ? i + 1 - candidate - back : _zeros;
    }

    private int CountSeenFrom(int position)
    {
        Vector<int> threshold = new(position);
        Vector<int> seen = Vector<int>.Zero;
        ReadOnlySpan<int> lastSeen = _lastSeen;
        for (int at = 0; at < lastSeen.Length; at += Vector<int>.Count)
        {
            seen -= Vector.GreaterThanOrEqual(new Vector<int>(lastSeen[at..]), threshold);
        }

        return Vector.Sum(seen);
    }

    private static int IndexBits(int values) => values <= 1 ? 0 : Math.Min(BitOperations.Log2((uint)values - 1) + 1, MaxIndexBits);
}
