namespace Optc.Ir;

/// <summary>The stable number of a kind of problem; <c>docs/errors.md</c> has one paragraph for each.</summary>
/// <param name="Number">1000s: reading files. 1200s: graphs and operators. 2000s: options. 3000s: verification and budgets.</param>
/// <param name="Summary">One sentence for the generated page.</param>
/// <param name="Remedy">What the user can do, for the generated page.</param>
public sealed record DiagnosticId(int Number, string Summary, string Remedy)
{
    public static DiagnosticId FileNotReadable { get; } = new(
        1001,
        "A file does not exist or cannot be opened.",
        "Check the path, that it is a file, and that it may be read.");

    public static DiagnosticId UnknownFormat { get; } = new(
        1002,
        "The first bytes are those of no format that optc reads.",
        "Give a .tflite model, or data as .npy, .npz or IDX; a renamed file of another kind does not help.");

    public static DiagnosticId MalformedFile { get; } = new(
        1003,
        "The bytes break the rules of their own format: truncated, damaged or hostile.",
        "Compare the size of the file with the original and fetch it again; if a tool wrote it, that tool has a defect.");

    public static DiagnosticId UnsupportedFeature { get; } = new(
        1004,
        "The file is sound, but uses a feature of its format that optc does not support.",
        "The message names the feature; save the model without it.");

    public static DiagnosticId DamagedWeightStream { get; } = new(
        1005,
        "An Ethos-U weight stream breaks the rules of its format: truncated, damaged, or no weight stream at all.",
        "Check that the file holds one or more whole streams and nothing else; 'optc codec ethos-u encode' makes one from weights.");

    public static DiagnosticId DamagedPackage { get; } = new(
        1006,
        "Packed Ethos-U weights are damaged, or their manifest says something else than the blob holds.",
        "Keep blob and manifest of one run together and unchanged; 'optc convert --to ethos-u' makes both anew.");

    public static DiagnosticId MalformedCertificate { get; } = new(
        1007,
        "A shrink certificate breaks the rules of its format, or has a version that optc does not know.",
        "Give the file that 'optc shrink --certificate' wrote, unchanged; the message names the field.");

    public static DiagnosticId OperatorVersion { get; } = new(
        1107,
        "An operator has a version that is newer than optc knows.",
        "Convert the model again with an older converter, or ask for the newer version; 'optc inspect' lists the versions a model uses.");

    public static DiagnosticId OperandType { get; } = new(
        1201,
        "An operator has operands or attributes that its rules do not allow.",
        "The message names the operator and the rule; usually the tool that wrote the model has a defect.");

    public static DiagnosticId InvalidGraph { get; } = new(
        1202,
        "The graph is not well formed: order, uses, names or types do not fit together.",
        "The message names the place; usually the tool that wrote the model has a defect.");

    public static DiagnosticId NotExecutable { get; } = new(
        1203,
        "An operator cannot be executed: custom, unknown, or not for these element types.",
        "Reading and writing such a model works; to run it, use a runtime that has the operator, or take it out of the graph.");

    public static DiagnosticId RunFailed { get; } = new(
        1204,
        "An operator met values at run time for which it is not defined.",
        "The message names the operator and the values; usually an index in the input data is out of range.");

    public static DiagnosticId TextSyntax { get; } = new(
        1205,
        "The text form of a graph cannot be parsed.",
        "The message shows line and column.");

    public static DiagnosticId MemoryLimit { get; } = new(
        1206,
        "Running the model would need more memory than is allowed.",
        "Run on a machine with more memory, or with a smaller batch.");

    public static DiagnosticId NotDifferentiable { get; } = new(
        1207, "An operator on the way to what is trained has no gradient.", "Train only layers behind it, and freeze it with everything before.");

    public static DiagnosticId CommandLine { get; } = new(
        2000,
        "The command line has an unknown word, or lacks a required one.",
        "'optc VERB --help' lists what a verb takes, with examples.");

    public static DiagnosticId InvalidOption { get; } = new(
        2001,
        "An option has a value that is not allowed.",
        "The message says which values are allowed.");

    public static DiagnosticId OutputExists { get; } = new(
        2002,
        "The output exists; optc never overwrites a file unless it is told to.",
        "Choose another name, or add '--force' when the file may be replaced.");

    public static DiagnosticId DataMismatch { get; } = new(
        2003,
        "Data do not fit the model: name, number, shape or type.",
        "Compare name, shape and type of the data with the inputs that 'optc inspect' shows; '--x' and '--y' choose the arrays of an .npz.");

    public static DiagnosticId RuleMatchesNothing { get; } = new(
        2004,
        "A per-layer rule matches no layer.",
        "Compare the pattern with the names of layers that 'optc inspect --layers' shows.");

    public static DiagnosticId NoCalibrationData { get; } = new(
        2005,
        "A static recipe needs calibration data.",
        "Give '--calibrate' a few hundred typical inputs, or take a recipe that needs none.");

    public static DiagnosticId OutputNotWritable { get; } = new(
        2006,
        "An output cannot be written: its folder is missing or protected, or it would replace an input.",
        "Create the folder, or choose another place; optc makes folders only where a verb takes '--out-dir'.");

    public static DiagnosticId UnusableData { get; } = new(
        2007,
        "Data cannot be trained on: no samples, a label out of range, a class without samples, or numbers that are not finite.",
        "The message names the first sample concerned; repair or remove it. Labels of classes are numbered from 0.");

    public static DiagnosticId WeightOutOfRange { get; } = new(
        2008,
        "A weight is outside of what a coder can store.",
        "Ethos-U stores -255 to 255: 8-bit codes with their zero point taken off. For a file of 8-bit weights leave '--type int16' out.");

    public static DiagnosticId NotQuantizable { get; } = new(
        3001,
        "Operators stay float although a full-integer model was required.",
        "Take the named layers out of the model, or accept float layers by leaving '--require-int8' out.");

    public static DiagnosticId VerificationFailed { get; } = new(
        3002,
        "Two results that must agree do not.",
        "The message says where the results part; 'optc compare --per-layer' shows the first layer that differs.");

    public static DiagnosticId BudgetNotMet { get; } = new(
        3003,
        "A budget given by the user is not met.",
        "The message says by how much; see the table of layers for what costs most.");

    public static DiagnosticId StructureBroken { get; } = new(
        3004,
        "A weight does not keep its structure: zeros that are gone, more codes than its codebook, values beside their grid.",
        "This is a defect of the named pass or step, unless a file was changed by other tools after optc wrote it.");

    public static DiagnosticId CertificateRefused { get; } = new(
        3005,
        "A shrink certificate does not show that the result answers as the original does.",
        "Do not deploy the result; shrink the original again. The message names the first step that does not follow.");

    public static DiagnosticId NothingToPack { get; } = new(
        3006,
        "A model has no layer whose weights the target can hold.",
        "Ethos-U reads integer convolutions and dense layers; quantize a float model first: 'optc quantize'.");

    public static IReadOnlyList<DiagnosticId> All { get; } =
    [
        FileNotReadable, UnknownFormat, MalformedFile, UnsupportedFeature, DamagedWeightStream, DamagedPackage, MalformedCertificate, OperatorVersion, OperandType, InvalidGraph,
        NotExecutable, RunFailed, TextSyntax, MemoryLimit, NotDifferentiable, CommandLine, InvalidOption, OutputExists, DataMismatch, RuleMatchesNothing,
        NoCalibrationData, OutputNotWritable, UnusableData, WeightOutOfRange, NotQuantizable, VerificationFailed, BudgetNotMet, StructureBroken,
        CertificateRefused, NothingToPack,
    ];

    public override string ToString() => $"OPTC{Number:0000}";
}
