using System.Numerics;

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

    private readonly int[] _lastSeen = new int[WeightSymbol.Count];
    private readonly List<int> _starts = [0];
    private readonly int[] _nonZero;
    private int _nonZeros;
    private int _start;
    private int _size;
    private int _zeros;
    private bool _hasPalette;

    private SectionSplitter(int weights)
    {
        _nonZero = new int[weights];
        Array.Fill(_lastSeen, -1);
    }

    /// <summary>The starts of all sections, ascending from 0.</summary>
    public static List<int> Split(ReadOnlySpan<short> weights)
    {
        SectionSplitter splitter = new(weights.Length);
        for (int i = 0; i < weights.Length; i++)
        {
            splitter.Advance(i, weights[i]);
        }

        return splitter._starts;
    }

    private void Advance(int i, int weight)
    {
        int symbol = WeightSymbol.Of(weight);
        int left = _zeros > (i - _start) / 4 ? 1 : 0;
        if (_hasPalette && _lastSeen[symbol] < _start)
        {
            _size++;
            int grown = _size - 1 - left;
            bool growsWidth = grown == 0 || (grown > 0 && BitOperations.IsPow2(grown));
            if (growsWidth && (i - _start - _zeros > LargestWindow || _size - left > LongestPalette))
            {
                _starts.Add(i);
                _start = i;
                _hasPalette = false;
                _zeros = 0;
            }
        }

        _lastSeen[symbol] = i;
        if (weight == 0)
        {
            _zeros++;
        }
        else
        {
            _nonZero[_nonZeros++] = i;
        }

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
        int candidate = _nonZeros >= length + 2 ? Math.Max(_nonZero[_nonZeros - length - 2], _start) : _start;
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

        int nonZeros = 0;
        while (nonZeros < _nonZeros && _nonZero[_nonZeros - 1 - nonZeros] >= candidate)
        {
            nonZeros++;
        }

        _zeros = i + 1 - candidate - nonZeros;
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
