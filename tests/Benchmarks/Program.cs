using BenchmarkDotNet.Running;
using Optc.Tests.Benchmarks;

// "speed [FILTER]": stopwatch tables in seconds. "models RUNNER FILE...": whole models beside LiteRT, whose runner is
// tests/Conformance/node after 'npm ci'. "quantization SHARED": what quantization costs in accuracy. "calibration SHARED": samples
// a second of the quantizer. "train-study SHARED [CASE...] [--seed N] [--threads N]": what training
// reaches. "study-data SHARED CASE FOLDER": its data as .npz. "report [ARCHITECTURE [FOLDER]]": how long a compression report takes. "train-step [FILTER [PYTHON]]": whole steps of
// training, beside PyTorch. "train-agreement PYTHON [FILTER]": gradients and losses beside those of float64. "train-profile
// [FILTER [REPEATS [aware]]]": the nodes of a step with one and two threads, of float or of quantization-aware training. "codec [SHARED]": MB/s of the Ethos-U codec, bytes of its
// streams, and damaged streams. "shrink SHARED": models before and after optc shrink. "ethos-u SHARED": whole models packed for an Ethos-U, and damaged packages. "entropy-clusters SHARED": bits and errors of clustered weights. "fuzz FOLDER [--count N] [--seed S] [--exe OPTC [--sample N]]": damaged models. Anything else goes
// to BenchmarkDotNet.
if (args is ["speed", ..])
{
    SpeedTable.Print(args.Length > 1 ? args[1] : "");
    return;
}

if (args is ["models", string runner, .. string[] models])
{
    ModelSpeed.Print(models, runner);
    return;
}

if (args is ["quantization", string shared])
{
    QuantizationStudy.Print(shared);
    return;
}

if (args is ["calibration", string folder])
{
    CalibrationSpeed.Print(folder);
    return;
}

if (args is ["train-study", _, ..])
{
    TrainStudy.Parse(args.AsSpan(1)).Print();
    return;
}

if (args is ["study-data", string from, string one, string to])
{
    StudyData.Write(from, one, to);
    return;
}

if (args is ["collaborative", _, _, ..])
{
    CollaborativeStudy.Parse(args.AsSpan(1)).Print();
    return;
}

if (args is ["shrink", string modelFolder])
{
    new ShrinkTable(modelFolder).Print();
    return;
}

if (args is ["exact-clusters"])
{
    AwareStepSpeed.PrintClustering();
    return;
}

if (args is ["aware-step", .. string[] threads])
{
    AwareStepSpeed.Print(threads.Length > 0 ? int.Parse(threads[0], System.Globalization.CultureInfo.InvariantCulture) : 1);
    return;
}

if (args is ["train-step", ..])
{
    TrainStepSpeed.Print(args.ElementAtOrDefault(1) ?? "", args.ElementAtOrDefault(2));
    return;
}

if (args is ["train-agreement", string agreed, ..])
{
    TrainAgreement.Print(agreed, args.ElementAtOrDefault(2) ?? "");
    return;
}

if (args is ["report", ..])
{
    ReportSpeed.Print(args.ElementAtOrDefault(1) ?? "ds-cnn-l", args.ElementAtOrDefault(2));
    return;
}

if (args is ["codec", ..])
{
    CodecSpeed.Print();
    if (args.Length > 1)
    {
        Console.WriteLine();
        new CodecSizes(args[1]).Print();
        Console.WriteLine();
        Environment.ExitCode = CodecFuzz.Run(args[1]);
    }

    return;
}

if (args is ["ethos-u", string packed])
{
    PackageSizes.Print(packed);
    Console.WriteLine();
    Environment.ExitCode = PackageFuzz.Run(packed);
    return;
}

if (args is ["entropy-clusters", string clustered])
{
    EntropyClusteringTable.Print(clustered);
    return;
}

if (args is ["train-profile", ..])
{
    TrainProfile.Print(
        args.ElementAtOrDefault(1) ?? "",
        int.Parse(args.ElementAtOrDefault(2) ?? "30", System.Globalization.CultureInfo.InvariantCulture),
        aware: args.ElementAtOrDefault(3) is "aware");
    return;
}

if (args is ["fuzz", _, ..])
{
    Environment.ExitCode = FuzzCommand.Parse(args.AsSpan(1)).Run();
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
