namespace Optc.Ir;

/// <summary>The stable number of a kind of problem; <c>docs/errors.md</c> has one paragraph for each.</summary>
/// <param name="Number">1000s: reading files. 1200s: graphs and operators. 2000s: options. 3000s: verification and budgets.</param>
/// <param name="Summary">One sentence for the generated page.</param>
public sealed record DiagnosticId(int Number, string Summary)
{
    public static DiagnosticId FileNotReadable { get; } = new(1001, "A file does not exist or cannot be opened.");

    public static DiagnosticId UnknownFormat { get; } = new(1002, "The first bytes are those of no format that optc reads.");

    public static DiagnosticId MalformedFile { get; } = new(1003, "The bytes break the rules of their own format: truncated, damaged or hostile.");

    public static DiagnosticId UnsupportedFeature { get; } = new(1004, "The file is sound, but uses a feature of its format that optc does not support.");

    public static DiagnosticId OperatorVersion { get; } = new(1107, "An operator has a version that is newer than optc knows.");

    public static DiagnosticId OperandType { get; } = new(1201, "An operator has operands or attributes that its rules do not allow.");

    public static DiagnosticId InvalidGraph { get; } = new(1202, "The graph is not well formed: order, uses, names or types do not fit together.");

    public static DiagnosticId NotExecutable { get; } = new(1203, "An operator cannot be executed: custom, unknown, or not for these element types.");

    public static DiagnosticId RunFailed { get; } = new(1204, "An operator met values at run time for which it is not defined.");

    public static DiagnosticId TextSyntax { get; } = new(1205, "The text form of a graph cannot be parsed.");

    public static DiagnosticId MemoryLimit { get; } = new(1206, "Running the model would need more memory than is allowed.");

    public static DiagnosticId InvalidOption { get; } = new(2001, "An option has a value that is not allowed.");

    public static DiagnosticId OutputExists { get; } = new(2002, "The output exists; optc never overwrites a file unless it is told to.");

    public static DiagnosticId DataMismatch { get; } = new(2003, "Data do not fit the model: name, number, shape or type.");

    public static DiagnosticId RuleMatchesNothing { get; } = new(2004, "A per-layer rule matches no layer.");

    public static DiagnosticId NoCalibrationData { get; } = new(2005, "A static recipe needs calibration data.");

    public static DiagnosticId OutputNotWritable { get; } = new(2006, "The output cannot be written where it was asked for.");

    public static DiagnosticId NotQuantizable { get; } = new(3001, "Operators stay float although a full-integer model was required.");

    public static DiagnosticId VerificationFailed { get; } = new(3002, "Two results that must agree do not.");

    public static DiagnosticId BudgetNotMet { get; } = new(3003, "A budget given by the user is not met.");

    public static IReadOnlyList<DiagnosticId> All { get; } =
    [
        FileNotReadable, UnknownFormat, MalformedFile, UnsupportedFeature, OperatorVersion, OperandType, InvalidGraph,
        NotExecutable, RunFailed, TextSyntax, MemoryLimit, InvalidOption, OutputExists, DataMismatch, RuleMatchesNothing,
        NoCalibrationData, OutputNotWritable, NotQuantizable, VerificationFailed, BudgetNotMet,
    ];

    public override string ToString() => $"OPTC{Number:0000}";
}
