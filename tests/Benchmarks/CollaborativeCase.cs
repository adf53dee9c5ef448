namespace Optc.Tests.Benchmarks;

/// <summary>A task of the study of compression: a case of the training study whose model is compressed.</summary>
/// <param name="Name">As the command line has it; that of the training case.</param>
/// <param name="Epochs">Epochs of every row, the stages of staged ones together.</param>
/// <param name="Rate">Learning rate at which the cosine of every row begins.</param>
/// <param name="Sparsity">Of our joint run.</param>
/// <param name="MostBytes">Coded weights of ours that are to be undercut, by number of codes.</param>
/// <param name="MostDrop">Points that ours may lose to the float model trained as long.</param>
/// <param name="Aim">Sparsity and codes of a second joint run of ours, for the smaller sizes that were aimed at.</param>
internal sealed record CollaborativeCase(
    string Name, int Epochs, double Rate, double Sparsity, int Codes, int MostBytes, double MostDrop, (double Sparsity, int Codes) Aim)
{
    public static CollaborativeCase[] All { get; } =
    [
        new("digits", 8, 1e-3, 0.51, 8, 38_500, 0.4, (0.8, 8)),
        new("digits-theo", 8, 1e-3, 0.51, 8, 38_500, 1.0, (0.8, 8)),
        new("digits-large", 8, 1e-3, 0.51, 8, 118_000, 1.0, (0.8, 8)),
        new("fine-tune", 10, 5e-4, 0.5, 16, 27_500, 1.3, (0.6, 12)),
        new("fashion-mobilenet", 8, 1e-3, 0.56, 8, 68_500, 1.6, (0.62, 6)),
    ];

    public static CollaborativeCase Find(string name) => All.FirstOrDefault(c => c.Name == name)
        ?? throw new ArgumentException($"'{name}' is none of {string.Join(", ", All.Select(c => c.Name))}.", nameof(name));
}
