using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>Computes the gradient of a convolution's input phase by phase, each by a layer of stride 1.</summary>
/// <typeparam name="TLayer">Computes the pixels of a phase.</typeparam>
internal sealed class InputGradientGrid<TLayer>
    where TLayer : class, IPixelLayer
{
    private readonly Conv2DGeometry _forward;
    private readonly Part[] _parts;
    private readonly int _layerChannels;
    private readonly int _layerScratch;
    private readonly bool _direct;

    /// <param name="forward">The convolution.</param>
    /// <param name="layerChannels">Channels that a layer computes: those of the input, or a multiple to be summed.</param>
    /// <param name="layer">Makes the layer of a phase.</param>
    public InputGradientGrid(Conv2DGeometry forward, int layerChannels, Func<GradientPhase, GradientPhase, TLayer> layer)
    {
        _forward = forward;
        _layerChannels = layerChannels;
        List<Part> parts = [];
        foreach (GradientPhase rows in GradientPhase.Of(forward.Height))
        {
            foreach (GradientPhase columns in GradientPhase.Of(forward.Width))
            {
                TLayer? made = rows.Window.Kernel == 0 || columns.Window.Kernel == 0 ? null : layer(rows, columns);
                int chunks = made is null ? forward.Batch : made.Plan.ChunkCount;
                parts.Add(new(rows, columns, made, ChunkCount, chunks));
                ChunkCount = checked(ChunkCount + chunks);
                if (made is not null)
                {
                    _layerScratch = Math.Max(_layerScratch, made.Plan.ScratchBytes);
                    ScratchBytes = Math.Max(ScratchBytes, checked(made.Plan.MaxPixels * layerChannels * sizeof(float)));
                }
            }
        }

        _parts = [.. parts];
        _direct = layerChannels == forward.InputChannels && _parts is [{ Rows.Step: 1, Columns.Step: 1 }];
        _layerScratch = (_layerScratch + 63) / 64 * 64;
        ScratchBytes = _direct ? _layerScratch : checked(ScratchBytes + _layerScratch);
    }

    public int ChunkCount { get; }

    public int ScratchBytes { get; }

    /// <summary>Each phase that has taps.</summary>
    public IEnumerable<(GradientPhase Rows, GradientPhase Columns, TLayer Layer)> Layers =>
        _parts.Where(p => p.Layer is not null).Select(p => (p.Rows, p.Columns, p.Layer!));

    public void RunChunk(int chunk, ReadOnlySpan<float> dy, Span<float> dx, Span<byte> scratch)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)chunk, (uint)ChunkCount, nameof(chunk));
        Extent.Require(dy.Length, _forward.OutputLength, nameof(dy));
        Extent.Require(dx.Length, _forward.InputLength, nameof(dx));
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        int at = _parts.Length - 1;
        while (_parts[at].FirstChunk > chunk || _parts[at].Chunks == 0)
        {
            at--;
        }

        ref readonly Part part = ref _parts[at];
        chunk -= part.FirstChunk;
        int pixelsOfImage = part.Rows.Window.Output * part.Columns.Window.Output;
        if (part.Layer is null)
        {
            Store(part, chunk * pixelsOfImage, pixelsOfImage, [], dx);
            return;
        }

        ConvolutionChunk work = part.Layer.Plan.Chunk(chunk);
        if (_direct)
        {
            part.Layer.RunPixels(work, dy, dx.Slice(work.FirstPixel * _layerChannels, work.Pixels * _layerChannels), scratch);
            return;
        }

        Span<float> pixels = MemoryMarshal.Cast<byte, float>(scratch[_layerScratch..])[..(work.Pixels * _layerChannels)];
        part.Layer.RunPixels(work, dy, pixels, scratch[.._layerScratch]);
        Store(part, work.FirstPixel, work.Pixels, pixels, dx);
    }

    /// <summary>Brings the pixels of a phase to their places, row by row; zeros when there are none.</summary>
    private unsafe void Store(in Part part, int firstPixel, int count, ReadOnlySpan<float> pixels, Span<float> dx)
    {
        int channels = _forward.InputChannels;
        int times = _layerChannels / channels;
        (int height, int width) = (part.Rows.Window.Output, part.Columns.Window.Output);
        int step = part.Columns.Step * channels;
        int done = 0;
        while (done < count)
        {
            int line = (firstPixel + done) / width;
            int column = (firstPixel + done) % width;
            int run = Math.Min(width - column, count - done);
            int row = (line / height * _forward.Height.Input) + part.Rows.First + (line % height * part.Rows.Step);
            int to = (((row * _forward.Width.Input) + part.Columns.First) * channels) + (column * step);
            Span<float> target = dx.Slice(to, ((run - 1) * step) + channels);
            if (pixels.IsEmpty)
            {
                for (int i = 0; i < run; i++)
                {
                    target.Slice(i * step, channels).Clear();
                }
            }
            else if (times == 1)
            {
                fixed (float* source = pixels.Slice(done * channels, run * channels), place = target)
                {
                    Spread(source, place, run, channels, step);
                }
            }
            else
            {
                for (int i = 0; i < run; i++)
                {
                    Fold(pixels.Slice((done + i) * _layerChannels, _layerChannels), target.Slice(i * step, channels), times);
                }
            }

            done += run;
        }
    }

    private static unsafe void Spread(float* from, float* to, int count, int channels, int step)
    {
        for (int i = 0; i < count; i++)
        {
            int c = 0;
            for (; c <= channels - 8; c += 8)
            {
                Vector256.Load(from + c).Store(to + c);
            }

            for (; c < channels; c++)
            {
                to[c] = from[c];
            }

            from += channels;
            to += step;
        }
    }

    private static void Fold(ReadOnlySpan<float> from, Span<float> to, int times)
    {
        for (int c = 0; c < to.Length; c++)
        {
            float sum = 0;
            foreach (float value in from.Slice(c * times, times))
            {
                sum += value;
            }

            to[c] = sum;
        }
    }

    private readonly record struct Part(GradientPhase Rows, GradientPhase Columns, TLayer? Layer, int FirstChunk, int Chunks);
}
