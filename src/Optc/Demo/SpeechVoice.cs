using Optc.Numerics;

namespace Optc.Demo;

/// <summary>Sounds that have the structure of speech: a glottal pulse train through three moving formants, in syllables.</summary>
/// <remarks>
/// Source-filter model: pulses after Rosenberg, "Effect of glottal pulse shape on the quality of natural vowels", JASA 1971;
/// resonators after Klatt, "Software for a cascade/parallel formant synthesizer", JASA 1980.
/// </remarks>
internal sealed class SpeechVoice
{
    private const int SampleRate = SoundSynthesizer.SampleRate;
    private const int SamplesPerUpdate = 160;

    /// <summary>Lowest and highest frequency and bandwidth of each formant, Hz.</summary>
    private static readonly (double Low, double High, double Width)[] Ranges = [(280, 800, 70), (850, 2300, 100), (2400, 3100, 160)];

    private readonly SplitMix64 _random;
    private readonly Resonator[] _resonators = [new(), new(), new()];
    private readonly double[] _formants = new double[3];
    private readonly double[] _targets = new double[3];
    private readonly double _pitch;
    private double _phase;
    private double _previousFlow;
    private double _previousHiss;

    public SpeechVoice(SplitMix64 random)
    {
        _random = random;
        _pitch = random.Between(85, 260);
        ChooseVowel();
        _targets.CopyTo(_formants, 0);
    }

    public void AddTo(double[] clip)
    {
        int position = -(int)(SampleRate * _random.Between(0, 0.15));
        while (position < clip.Length)
        {
            position = AddSyllable(clip, position);
            if (_random.NextUnit() < 0.25)
            {
                position += (int)(SampleRate * _random.Between(0.03, 0.15));
            }
        }
    }

    /// <summary>Adds the part of a syllable that lies in the clip.</summary>
    /// <returns>Where the next one begins.</returns>
    private int AddSyllable(double[] clip, int start)
    {
        ChooseVowel();
        int length = (int)(SampleRate * _random.Between(0.12, 0.28));
        int consonant = _random.NextUnit() < 0.4 ? (int)(SampleRate * _random.Between(0.03, 0.07)) : 0;
        double loudness = _random.Between(0.5, 1);
        double glide = _random.Between(-0.15, 0.15);
        for (int i = 0; i < length; i++)
        {
            if (i % SamplesPerUpdate == 0)
            {
                MoveFormants();
            }

            double part = i / (double)length;
            double sine = PortableMath.Sine(part / 2);
            double sound = i < consonant ? 0.2 * Hiss() : loudness * sine * sine * Vowel(_pitch * (1 + (glide * part)));
            if (start + i >= 0 && start + i < clip.Length)
            {
                clip[start + i] += sound;
            }
        }

        return start + length;
    }

    private void ChooseVowel()
    {
        for (int k = 0; k < _targets.Length; k++)
        {
            _targets[k] = _random.Between(Ranges[k].Low, Ranges[k].High);
        }
    }

    private void MoveFormants()
    {
        for (int k = 0; k < _formants.Length; k++)
        {
            _formants[k] += 0.2 * (_targets[k] - _formants[k]);
            _resonators[k].Tune(_formants[k], Ranges[k].Width);
        }
    }

    private double Vowel(double pitch)
    {
        const double opening = 0.4;
        const double closing = 0.16;
        _phase += pitch / SampleRate;
        _phase -= Math.Floor(_phase);
        double t = _phase / opening;
        double u = (_phase - opening) / closing;
        double flow = t < 1 ? t * t * (3 - (2 * t)) : u < 1 ? 1 - (u * u) : 0;
        double sound = flow - _previousFlow;
        _previousFlow = flow;
        foreach (Resonator resonator in _resonators)
        {
            sound = resonator.Next(sound);
        }

        return sound;
    }

    private double Hiss()
    {
        double noise = _random.NextNormal();
        double sound = noise - (0.9 * _previousHiss);
        _previousHiss = noise;
        return 0.3 * sound;
    }

    /// <summary>Two poles, gain 1 at 0 Hz.</summary>
    private sealed class Resonator
    {
        private double _a;
        private double _b;
        private double _c;
        private double _last;
        private double _beforeLast;

        public void Tune(double frequency, double width)
        {
            double radius = PortableMath.Exp(-Math.PI * width / SampleRate);
            _c = -radius * radius;
            _b = 2 * radius * PortableMath.Cosine(frequency / SampleRate);
            _a = 1 - _b - _c;
        }

        public double Next(double x)
        {
            double y = (_a * x) + (_b * _last) + (_c * _beforeLast);
            (_beforeLast, _last) = (_last, y);
            return y;
        }
    }
}
