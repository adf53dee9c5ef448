namespace Optc.Formats.Wav;

/// <summary>Sampled sound.</summary>
/// <param name="SampleRate">Frames per second, in hertz.</param>
/// <param name="Channels">Samples per frame.</param>
/// <param name="Samples">
/// <c>[frames, channels]</c>; integer formats are divided by their full scale, so that they lie in [-1, 1) and a 16-bit
/// sample times 32768 is the stored integer again.
/// </param>
public sealed record WavAudio(int SampleRate, int Channels, ReadOnlyMemory<float> Samples)
{
    /// <summary>Samples per channel.</summary>
    public int Frames => Samples.Length / Channels;
}
