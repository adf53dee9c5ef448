namespace Optc.Demo;

/// <summary>What the classifier of the demo tells apart; the value is the index of the class.</summary>
public enum SoundClass
{
    /// <summary>Beeps near 3.1 kHz in the temporal-three pattern of ISO 8201.</summary>
    SmokeAlarm,

    /// <summary>A tone that wails up and down.</summary>
    Siren,

    /// <summary>Pulses through moving formants, in syllables.</summary>
    Speech,

    /// <summary>Coloured noise and hum of the mains.</summary>
    Noise,

    /// <summary>The noise floor of a microphone.</summary>
    Silence,
}
