using MathNet.Numerics.IntegralTransforms;
using Optc.Formats.Npy;
using Optc.Ir;

namespace Optc.Tests.Benchmarks;

/// <summary>The shared pack of spoken digits as pictures [49, 10, 1] of cepstral coefficients, by the recipe of its README.</summary>
internal static class SpokenDigits
{
    private const int Clip = 8000;
    private const int Window = 240;
    private const int Hop = 160;
    private const int Points = 256;
    public const int Frames = 49;
    private const int Bands = 40;
    public const int Coefficients = 10;
    private const int SampleRate = 8000;
    private const int Theo = 4;

    /// <param name="withoutTheo">Tests on the speaker theo, trains on the others; else the official split.</param>
    public static (Dataset Train, Dataset Test) Load(string shared, bool withoutTheo)
    {
        using NpzReader file = NpzReader.Open(Path.Combine(shared, "data/fsdd/fsdd.npz"));
        ReadOnlySpan<short> audio = file.Read("audio").AsSpan<short>();
        int[] offsets = file.Read("offset").ToInt32s();
        int[] lengths = file.Read("length").ToInt32s();
        int[] labels = file.Read("label").ToInt32s();
        int[] parts = file.Read(withoutTheo ? "speaker" : "is_test").ToInt32s();
        List<float>[] x = [[], []];
        List<int>[] y = [[], []];
        for (int i = 0; i < labels.Length; i++)
        {
            int part = parts[i] == (withoutTheo ? Theo : 1) ? 1 : 0;
            x[part].AddRange(Features(audio.Slice(offsets[i], lengths[i])));
            y[part].Add(labels[i]);
        }

        return (Of(0), Of(1));

        Dataset Of(int part) => Dataset.Of(
            TensorData.FromFloats([y[part].Count, Frames, Coefficients, 1], [.. x[part]]), TensorData.FromInts([y[part].Count], [.. y[part]]));
    }

    private static float[] Features(ReadOnlySpan<short> recording)
    {
        double[] clip = new double[Clip];
        int length = Math.Min(recording.Length, Clip);
        ReadOnlySpan<short> middle = recording.Slice((recording.Length - length) / 2, length);
        for (int i = 0; i < length; i++)
        {
            clip[((Clip - length) / 2) + i] = middle[i] / 32768.0;
        }

        float[] features = new float[Frames * Coefficients];
        double[] spectrum = new double[Points + 2];
        for (int frame = 0; frame < Frames; frame++)
        {
            Array.Clear(spectrum);
            for (int i = 0; i < Window; i++)
            {
                spectrum[i] = clip[(frame * Hop) + i] * (0.5 - (0.5 * Math.Cos(2 * Math.PI * i / Window)));
            }

            Fourier.ForwardReal(spectrum, Points, FourierOptions.NoScaling);
            double[] logarithms = [.. Filters.Select(filter => Math.Log(1e-6 + filter.Select((w, k) => w * Magnitude(spectrum, k)).Sum()))];
            for (int c = 0; c < Coefficients; c++)
            {
                double sum = logarithms.Select((l, b) => l * Math.Cos(Math.PI * c * (b + 0.5) / Bands)).Sum();
                features[(frame * Coefficients) + c] = (float)(sum * Math.Sqrt((c == 0 ? 1.0 : 2.0) / Bands));
            }
        }

        return features;
    }

    private static double Magnitude(double[] spectrum, int bin) => Math.Sqrt(
        (spectrum[2 * bin] * spectrum[2 * bin]) + (spectrum[(2 * bin) + 1] * spectrum[(2 * bin) + 1]));

    private static readonly double[][] Filters = MelFilters();

    private static double[][] MelFilters()
    {
        static double Mel(double frequency) => 1127 * Math.Log(1 + (frequency / 700));
        double low = Mel(20);
        double step = (Mel(4000) - low) / (Bands + 1);
        double[] edges = [.. Enumerable.Range(0, Bands + 2).Select(i => 700 * (Math.Exp((low + (step * i)) / 1127) - 1))];
        return
        [
            .. Enumerable.Range(0, Bands).Select(band => Enumerable.Range(0, (Points / 2) + 1)
                .Select(k => (double)k * SampleRate / Points)
                .Select(f => Math.Max(0, Math.Min((f - edges[band]) / (edges[band + 1] - edges[band]), (edges[band + 2] - f) / (edges[band + 2] - edges[band + 1]))))
                .ToArray()),
        ];
    }
}
