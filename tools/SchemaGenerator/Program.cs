using Optc.Tools.SchemaGenerator;

if (args is not [string folder])
{
    Console.Error.WriteLine("usage: dotnet run --project tools/SchemaGenerator -- src/Formats/TfLite");
    return 2;
}

string schema = File.ReadAllText(Path.Combine(folder, "tflite.schema"));
foreach ((string name, string text) in Generator.Generate(schema))
{
    File.WriteAllText(Path.Combine(folder, name), text);
}

return 0;
