using k8s;

namespace Broker.Deploy.Tests;

/// <summary>The manifests as they lie in the repository, also where nothing can render them.</summary>
public sealed class ManifestFileTests
{
    private static readonly string[] Files =
    [
        .. Directory.GetFiles(Path.Combine(Overlay.Folder, "base"), "*.yaml"),
        Path.Combine(Overlay.Folder, "overlays", "cluster", "database.yaml"),
        Path.Combine(Overlay.Folder, "overlays", "cluster", "horizontalpodautoscaler.yaml"),
    ];

    [Fact]
    public void Every_manifest_is_of_the_types_of_Kubernetes_with_no_field_that_they_do_not_have()
    {
        foreach (var file in Files.Where(static f => Path.GetFileName(f) != "kustomization.yaml"))
        {
            var objects = KubernetesYaml.LoadAllFromString(File.ReadAllText(file), strict: true);
            Assert.True(objects is [IKubernetesObject], file);
        }
    }

    [Fact]
    public void A_field_that_does_not_exist_is_an_error()
    {
        var text = File.ReadAllText(Path.Combine(Overlay.Folder, "base", "deployment.yaml"));

        Assert.ThrowsAny<Exception>(() => KubernetesYaml.LoadAllFromString(text.Replace("readinessProbe:", "readynessProbe:", StringComparison.Ordinal), strict: true));
    }

    [Fact]
    public void Every_file_is_used()
    {
        foreach (var folder in (string[])["base", "overlays/single", "overlays/cluster"])
        {
            var path = Path.Combine(Overlay.Folder, folder);
            var kustomization = File.ReadAllText(Path.Combine(path, "kustomization.yaml"));
            Assert.All(
                Directory.GetFiles(path).Select(Path.GetFileName).Where(static name => name != "kustomization.yaml"),
                name => Assert.Contains(name!, kustomization, StringComparison.Ordinal));
        }
    }
}
