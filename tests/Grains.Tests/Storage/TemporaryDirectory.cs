namespace Broker.Grains.Tests.Storage;

/// <summary>A folder of one test; the test deletes it at its end.</summary>
internal sealed class TemporaryDirectory
{
    public string Path { get; } = Directory.CreateTempSubdirectory("broker-store-").FullName;

    public void Delete() => Directory.Delete(Path, recursive: true);
}
