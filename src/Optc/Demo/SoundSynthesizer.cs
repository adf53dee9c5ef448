using Optc.Numerics;

namespace Optc.Demo;

/// <summary>Makes the sounds of the demo: one second, 16 kHz, mono.</summary>
/// <remarks>
/// A clip is a function of class and seed, the same to the last bit on every machine. Level, pitch, timbre, position in the
/// pattern and background vary from seed to seed.
/// </remarks>
public static class SoundSynthesizer
{
    /// <summary>Hz.</summary>
    public const int SampleRate = 16_000;

    /// <summary>Samples of a clip.</summary>
    public const int ClipLength = SampleRate;

    // Level of alarm, siren and speech above their background, dB: some drown in it.
    private const double LowestRatio = -12;
    private const double HighestRatio = 18;

    /// <summary>A clip with values in [-1, 1].</summary>
    /// <returns>[<see cref="ClipLength"/>]</returns>
    public static float[] Synthesize(SoundClass sound, ulong seed)
    {
        SplitMix64 random = new((seed << 3) + (ulong)sound);
        double[] clip = new double[ClipLength];
        switch (sound)
        {
            case SoundClass.SmokeAlarm:
                AddAlarm(clip, random);
                break;
            case SoundClass.Siren:
                AddSiren(clip, random);
                break;
            case SoundClass.Speech:
                new SpeechVoice(random).AddTo(clip);
                break;
            case SoundClass.Noise:
                AddNoise(clip, random);
                break;
            case SoundClass.Silence:
                AddColouredNoise(clip, random, random.Between(0, 0.7));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(sound), sound, "no such class");
        }

        // dB relative to full scale.
        double level = sound switch
        {
            SoundClass.Silence => random.Between(-86, -68),
            SoundClass.Noise => random.Between(-52, -14),
            _ => random.Between(-42, -14),
        };
        SetLevel(clip, level);
        if (sound is not (SoundClass.Noise or SoundClass.Silence))
        {
            double[] background = new double[ClipLength];
            AddNoise(background, random);
            SetLevel(background, level - random.Between(LowestRatio, HighestRatio));
            for (int i = 0; i < clip.Length; i++)
            {
                clip[i] += background[i];
            }
        }

        return Array.ConvertAll(clip, x => (float)Math.Clamp(x, -1, 1));
    }

    /// <summary>Three beeps of half a second with pauses as long, then 1.5 s of rest; the clip begins anywhere with a beep ahead.</summary>
    private static void AddAlarm(double[] clip, SplitMix64 random)
    {
        const double latestStart = 2.2;
        const double ramp = 0.005;
        double start = random.Between(0, latestStart);
        double pitch = random.Between(2900, 3400);
        double second = random.Between(0, 0.35);
        double phase = random.NextUnit();
        for (int i = 0; i < clip.Length; i++)
        {
            double time = start + (i / (double)SampleRate);
            double inBeat = time - Math.Floor(time);
            double envelope = time >= 3 ? 0 : Math.Clamp(Math.Min(inBeat, 0.5 - inBeat) / ramp, 0, 1);
            double turns = phase + (pitch * i / SampleRate);
            clip[i] += envelope * (PortableMath.Sine(turns) + (second * PortableMath.Sine(2 * turns)));
        }
    }

    /// <summary>A sweep between two pitches, slow (wail) or fast (yelp), with two overtones.</summary>
    private static void AddSiren(double[] clip, SplitMix64 random)
    {
        double low = random.Between(450, 750);
        double high = low * random.Between(1.8, 2.6);
        double rate = random.NextUnit() < 0.5 ? random.Between(0.3, 0.8) : random.Between(1.5, 4);
        double sweep = random.NextUnit();
        (double second, double third) = (random.Between(0, 0.5), random.Between(0, 0.4));
        double turns = random.NextUnit();
        for (int i = 0; i < clip.Length; i++)
        {
            double position = 0.5 + (0.5 * PortableMath.Sine(sweep + (rate * i / SampleRate)));
            turns += (low + ((high - low) * position)) / SampleRate;
            clip[i] += PortableMath.Sine(turns) + (second * PortableMath.Sine(2 * turns)) + (third * PortableMath.Sine(3 * turns));
        }
    }

    /// <summary>Coloured noise whose level drifts, often with hum.</summary>
    private static void AddNoise(double[] clip, SplitMix64 random)
    {
        AddColouredNoise(clip, random, random.Between(-0.5, 0.97));
        double depth = random.Between(0, 0.6);
        double rate = random.Between(0.2, 6);
        double start = random.NextUnit();
        double hum = Math.Max(0, random.Between(-1, 1.2));
        double mains = (random.NextUnit() < 0.5 ? 50 : 60) * (1 + Math.Floor(random.Between(0, 3)));
        for (int i = 0; i < clip.Length; i++)
        {
            double turns = mains * i / SampleRate;
            clip[i] *= 1 + (depth * PortableMath.Sine(start + (rate * i / SampleRate)));
            clip[i] += hum * (PortableMath.Sine(turns) + (0.5 * PortableMath.Sine(2 * turns)) + (0.3 * PortableMath.Sine(3 * turns)));
        }
    }

    /// <summary>White noise through the filter <c>y[i] = x[i] + pole * y[i - 1]</c>, scaled to variance 1.</summary>
    /// <param name="pole">In (-1, 1): positive is dull, negative is bright.</param>
    private static void AddColouredNoise(double[] clip, SplitMix64 random, double pole)
    {
        double gain = Math.Sqrt(1 - (pole * pole));
        double previous = 0;
        for (int i = 0; i < clip.Length; i++)
        {
            previous = (gain * random.NextNormal()) + (pole * previous);
            clip[i] += previous;
        }
    }

    private static void SetLevel(double[] clip, double decibel)
    {
        double energy = 0;
        foreach (double x in clip)
        {
            energy += x * x;
        }

        double gain = PortableMath.Amplitude(decibel) / Math.Sqrt(energy / clip.Length);
        for (int i = 0; i < clip.Length; i++)
        {
            clip[i] *= gain;
        }
    }
}
