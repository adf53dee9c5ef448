using Optc.Ir;
using Optc.Passes.Quantize;

namespace Optc.Training;

/// <summary>Training data as a model takes and a metric judges them.</summary>
internal static class LabelledSamples
{
    /// <summary>Every sample with its label: the class, or the values.</summary>
    public static IEnumerable<(CalibrationSample Inputs, double[] Label)> Of(TrainingData data)
    {
        int[] samples = data.Samples.ToArray();
        foreach (int sample in samples)
        {
            TensorData[] inputs = new TensorData[data.InputShapes.Length];
            for (int i = 0; i < inputs.Length; i++)
            {
                float[] values = new float[data.InputShapes[i].ElementCount];
                data.ReadInput(i, sample, values);
                inputs[i] = TensorData.FromFloats(data.InputShapes[i], values);
            }

            yield return (CalibrationSample.Of(sample, inputs), LabelOf(data, sample));
        }
    }

    private static double[] LabelOf(TrainingData data, int sample)
    {
        if (data.Targets is TargetKind.Classes)
        {
            return [data.ClassOf(sample)];
        }

        float[] values = new float[data.TargetShape?.ElementCount ?? 0];
        data.ReadTarget(sample, values);
        return [.. values.Select(v => (double)v)];
    }
}
