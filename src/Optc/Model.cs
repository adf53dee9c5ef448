using System.Collections.Immutable;
using Optc.Backends;
using Optc.Backends.CArray;
using Optc.Backends.EthosU;
using Optc.Backends.TfLite;
using Optc.Data;
using Optc.Files;
using Optc.Formats.FlatBuffers;
using Optc.Frontend;
using Optc.Ir;
using Optc.Passes;
using Optc.Passes.Quantize;
using Optc.Report;
using Optc.Shrink;
using Optc.Structure;
using Optc.Training;

namespace Optc;

/// <summary>A model that can be run, changed, measured and written. Immutable: every change makes a new model.</summary>
/// <example>
/// <code>
/// Model quantized = Model.Load("kws.tflite").Quantize(QuantizationRecipe.StaticInt8, Dataset.Load("samples.npz"));
/// quantized.Save("kws-int8.tflite");
/// </code>
/// </example>
public sealed partial class Model
{
    private readonly Lazy<FlatBufferContent> _file;
    private readonly Lazy<Module> _module;
    private readonly Module _given;

    private Model(Module module, string name, ReadOnlyMemory<byte> source = default)
    {
        _given = module;
        _module = new(() => Intent.IsEmpty ? _given : Intent.InOneShot(_given));
        Name = name;
        Source = source;
        _file = new(() => TfLiteBackend.Build(StructureRecord.Attach(Module), Writing));
    }

    /// <summary>The graphs. Shared by everybody who holds this model, so not to be changed in place; passes work on copies.</summary>
    public Module Module => _module.Value;

    /// <summary>Name of the file without folder, or as given.</summary>
    public string Name { get; }

    /// <summary>The file that was read; empty for a model that was made or changed since.</summary>
    public ReadOnlyMemory<byte> Source { get; }

    /// <summary>How the model is written where nothing else is said, see <see cref="WrittenAs"/>.</summary>
    public TfLiteWriteOptions Writing { get; private init; } = TfLiteWriteOptions.Default;

    /// <summary>What quantization did, for the result of <see cref="Quantize"/>.</summary>
    public QuantizationReport? Quantization { get; private init; }

    /// <summary>What passes did and declined to do, from the loaded file on.</summary>
    public ImmutableArray<PassEvent> Events { get; private init; } = [];

    /// <summary>Name and type of every input of the main graph.</summary>
    public ImmutableArray<(string Name, TensorType Type)> Inputs => [.. Module.Main.Inputs.Select(v => (v.Name, v.Type))];

    /// <summary>Name and type of every output of the main graph.</summary>
    public ImmutableArray<(string Name, TensorType Type)> Outputs => [.. Module.Main.Outputs.Select(v => (v.Name, v.Type))];

    /// <summary>Reads a model file of any kind that optc knows.</summary>
    /// <exception cref="DiagnosticException">The file cannot be read, is damaged, or not supported.</exception>
    public static Model Load(string path)
    {
        try
        {
            return Read(File.ReadAllBytes(path), Path.GetFileName(path));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw DataFile.NotReadable(path, problem);
        }
    }

    /// <summary>Reads a model file that is in memory. The model keeps slices of it: the bytes must not change.</summary>
    /// <exception cref="DiagnosticException">
    /// The file is damaged, or not supported, or its weights no longer have the structure that is recorded with them.
    /// </exception>
    public static Model Read(ReadOnlyMemory<byte> file, string name = "model") => new(StructureRecord.Restore(FrontendSet.Read(file, name), name), name, file);

    /// <summary>A model made of graphs.</summary>
    /// <exception cref="DiagnosticException">The graphs are not well formed.</exception>
    public static Model Of(Module module, string name = "model")
    {
        Verifier.ThrowIfBroken(module);
        return new(module, name);
    }

    /// <summary>The model after a list of passes.</summary>
    /// <exception cref="DiagnosticException">A pass cannot do its work.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Model Apply(Pipeline pipeline, WorkOptions? options = null)
    {
        PassContext context = (options ?? WorkOptions.Default).ForPasses;
        Module result = Located(() => pipeline.Run(Module, context));
        return new(result, Name) { Events = [.. Events, .. context.Events], Quantization = Quantization, Stages = Stages, Origin = Origin };
    }

    /// <summary>The model without what does nothing: fewer nodes and constants, the same results to the last bit.</summary>
    public Model Simplify(WorkOptions? options = null) => Apply(Pipelines.Simplify, options);

    /// <summary>Post-training quantization.</summary>
    /// <param name="calibration">Typical inputs, some hundred; only static recipes need them.</param>
    /// <exception cref="DiagnosticException">See <see cref="Quantizer.Quantize"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Model Quantize(QuantizationRecipe recipe, Dataset? calibration = null, WorkOptions? options = null)
    {
        PassContext context = (options ?? WorkOptions.Default).ForPasses;
        (Module result, QuantizationReport report) = Located(() => Quantizer.Quantize(
            Module, recipe, calibration?.For(Module), context, recipe.Mode is QuantizationMode.Static ? RangeRecord.Read(Module, recipe.Activations) : null));
        // Statistics of training mean nothing to integers.
        return new(RangeRecord.Without(StatisticsRecord.Attach(result, [])), Name) { Events = [.. Events, .. context.Events], Quantization = report, Stages = Stages, Origin = Origin };
    }

    /// <summary>Integers throughout, with the ranges that quantization-aware training found.</summary>
    /// <exception cref="DiagnosticException">The model has no such ranges: it needs calibration data, see <see cref="Quantize"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Model ToInt8(WorkOptions? options = null) => Quantize(QuantizationRecipe.StaticInt8, options: options);

    /// <summary>Trains the weights of a float model with one output.</summary>
    /// <param name="train">Labelled samples.</param>
    /// <param name="validation">Samples that are not trained on; scored after each epoch.</param>
    /// <exception cref="DiagnosticException">Model, data and options do not fit together, or the loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the checkpoint, if one is kept, holds everything up to the last whole step.</exception>
    public FitResult Fit(Dataset train, Dataset? validation = null, FitOptions? how = null, WorkOptions? options = null)
    {
        how ??= new();
        Fitting.Check(how, hasValidation: validation is not null);
        TrainingData samples = ForTraining(train, how);
        TrainingData? scored = validation is null ? null : ForTraining(validation, how, validating: true);
        if (scored is null && how.ValidationPart is { } part)
        {
            (samples, scored) = samples.Split(part, how.Seed);
        }

        if (how.Normalization is null && how.Normalize is { } kind)
        {
            how = how with { Normalization = Normalization.Measure(samples, kind) };
        }

        return Located(() =>
        {
            using Fitting fitting = new(this, samples, scored, how, options ?? WorkOptions.Default);
            return fitting.Run();
        });
    }

    /// <summary>Runs the model once, from a fresh state.</summary>
    /// <param name="inputs">One tensor for each input, in order; see <see cref="SampleReader"/> for the types that fit.</param>
    /// <returns>The outputs in order.</returns>
    /// <exception cref="DiagnosticException">The model cannot be executed, or the inputs do not fit.</exception>
    public ImmutableArray<TensorData> Run(params ImmutableArray<TensorData> inputs) => Run(inputs, WorkOptions.Default);

    /// <inheritdoc cref="Run(ImmutableArray{TensorData})"/>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ImmutableArray<TensorData> Run(ImmutableArray<TensorData> inputs, WorkOptions options)
    {
        using Execution execution = new(this, options: options);
        return execution.Run([.. inputs.Select(i => ((string?)null, i))]);
    }

    /// <summary>Scores the first output on labelled data.</summary>
    /// <param name="metric"><see cref="Metric.Accuracy"/> when left out.</param>
    /// <param name="confusion">Also counts which classes are taken for which, see <see cref="Evaluation.Confusion"/>.</param>
    /// <exception cref="DiagnosticException">The model cannot be executed, or the data do not fit.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Evaluation Evaluate(Dataset data, Metric? metric = null, WorkOptions? options = null, bool confusion = false) =>
        Located(() => Evaluation.Run(Module, data, metric ?? Metric.Accuracy, options ?? WorkOptions.Default, confusion));

    /// <summary>How far another model is from this one on data.</summary>
    /// <exception cref="DiagnosticException">A model cannot be executed, outputs do not correspond, or the data do not fit.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Comparison CompareTo(Model other, Dataset data, ComparisonOptions? comparison = null, WorkOptions? options = null) =>
        Comparison.Of(Module, other.Module, data.For(Module), comparison, options);

    /// <summary>What the model consists of, and where the bytes of its file are.</summary>
    /// <exception cref="DiagnosticException">The model was made or changed here, and operators have no encoding in <c>.tflite</c>.</exception>
    public Inspection Inspect() => Source.IsEmpty ? Inspection.Of(Module) : Inspection.Of(Module, Source);

    /// <summary>What <see cref="Shrink"/> would take from the file; of a float model only what its container has too much.</summary>
    /// <exception cref="DiagnosticException">Operators have no encoding in <c>.tflite</c>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ShrinkSavings Savings(CancellationToken cancellation = default)
    {
        long original = Source.IsEmpty ? FileLength : Source.Length;
        long container = Math.Min(original, WrittenAs(Writing with { Names = TfLiteNames.Interface }).FileLength);
        if (!Module.Graphs.SelectMany(g => g.Values()).Any(v => v.Type.Quant is not null))
        {
            return new(original - container, 0, container, 0, 0);
        }

        ShrinkResult all = Shrink(cancellation: cancellation);
        long left = Math.Min(container, all.File.Length);
        return new(original - container, container - left, left, all.Weights.Before - all.Weights.After, all.Macs.Before - all.Macs.After);
    }

    /// <summary>The same model, of whose file other things are left out.</summary>
    public Model WrittenAs(TfLiteWriteOptions options) => options == Writing ? this : new(_given, Name, Source)
    {
        Events = Events,
        Quantization = Quantization,
        Stages = Stages,
        Origin = Origin,
        Intent = Intent,
        Writing = options,
    };

    /// <summary>
    /// The model as a <c>.tflite</c> file without anything superfluous; the same model gives the same bytes. Of a model that was read this is the
    /// same model in fewer bytes: <c>Model.Read(file).ToTfLite()</c>.
    /// </summary>
    /// <param name="options"><see cref="Writing"/> when left out.</param>
    /// <exception cref="DiagnosticException">Operators have no encoding in that format.</exception>
    public byte[] ToTfLite(TfLiteWriteOptions? options = null) => WrittenAs(options ?? Writing)._file.Value.ToArray();

    /// <summary>Bytes of the model as a <c>.tflite</c> file.</summary>
    /// <exception cref="DiagnosticException">Operators have no encoding in that format.</exception>
    public long FileLength => _file.Value.Length;

    /// <summary>Writes the <c>.tflite</c> file to a stream.</summary>
    /// <exception cref="DiagnosticException">Operators have no encoding in that format.</exception>
    public void WriteTo(Stream stream) => _file.Value.WriteTo(stream);

    /// <summary>The <c>.tflite</c> file as a C array.</summary>
    /// <exception cref="DiagnosticException">The symbol is no C identifier, or operators have no encoding.</exception>
    public ArtifactSet ToCArray(CArrayOptions options) => CArrayBackend.Emit(FileLength, WriteTo, options);

    /// <summary>The weights as an Ethos-U55 or Ethos-U65 reads them: a packed blob, a C header and a manifest.</summary>
    /// <exception cref="DiagnosticException">No layer can be packed (a float model has to be quantized first), or an option is not allowed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public EthosUPackage ToEthosU(EthosUOptions options, WorkOptions? work = null) =>
        EthosUPackage.Pack(Module, Name, options, (work ?? WorkOptions.Default).Cancellation);

    /// <summary>Writes a <c>.tflite</c> file, whole or not at all.</summary>
    /// <param name="overwrite">Replaces a file that exists.</param>
    /// <exception cref="DiagnosticException">The file exists or cannot be written, or operators have no encoding.</exception>
    /// <returns>This model, to go on with.</returns>
    public Model Save(string path, bool overwrite = false)
    {
        OutputFiles.Write(path, WriteTo, overwrite);
        return this;
    }

    /// <summary>Does work, and puts the name of the model in front of the place of what is wrong with its graphs.</summary>
    internal T Located<T>(Func<T> work)
    {
        const int firstOfGraphs = 1107;
        const int lastOfGraphs = 1299;
        try
        {
            return work();
        }
        catch (DiagnosticException problem) when (problem.Diagnostics.All(d => d.Id.Number is >= firstOfGraphs and <= lastOfGraphs))
        {
            throw new DiagnosticException([.. problem.Diagnostics.Select(d => d.Inside(Name))]);
        }
    }

    /// <summary>A model of other graphs with this one's name and record.</summary>
    internal Model With(Module module) => new(module, Name) { Events = Events, Stages = Stages, Origin = Origin, Writing = Writing };

    /// <summary>Data checked against what the model takes and gives.</summary>
    private TrainingData ForTraining(Dataset data, FitOptions how, bool validating = false) => TrainingData.Of(data, new()
    {
        InputShapes = [.. Module.Main.Inputs.Select(v => Shape.Of(v.Type.Shape.Dims[1..]))],
        Targets = how.Step.Loss.TakesClasses || how.Step.Loss.TakesLogitsOfSoftmax ? null : TargetKind.Values,
        Classes = how.Step.Loss.TakesClasses ? Outputs[0].Type.Shape[-1] : null,
        AllowEmptyClasses = validating || how.AllowEmptyClasses,
        FitSize = how.FitSize,
    });
}
