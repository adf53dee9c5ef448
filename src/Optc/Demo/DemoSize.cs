namespace Optc.Demo;

/// <summary>How much work the demo does.</summary>
/// <param name="TrainSounds">Sounds for training.</param>
/// <param name="TestSounds">Sounds for the test.</param>
/// <param name="Channels">Of every convolution of the classifier.</param>
/// <param name="Epochs">Of the float model.</param>
/// <param name="PruningEpochs">In which half of its weights become zero.</param>
/// <param name="JointEpochs">In which the rest get shared values and learn to be integers.</param>
public sealed record DemoSize(int TrainSounds, int TestSounds, int Channels, int Epochs, int PruningEpochs, int JointEpochs)
{
    /// <summary>Some 45,000 weights, half a minute on two cores.</summary>
    public static DemoSize Full { get; } = new(1000, 500, 96, 10, 2, 6);

    /// <summary>Some 13,000 weights in a few seconds, with the accuracy that so few sounds allow.</summary>
    public static DemoSize Quick { get; } = new(300, 150, 48, 12, 2, 6);
}
