using System.Diagnostics.CodeAnalysis;
using System.Text;
using Broker.Gateway.Auth.Enhanced;

namespace Broker.Gateway.Auth;

/// <summary>
/// The users file: a line <c>name:hash</c> or <c>name:hash:scram</c> per user, <c>#</c> for comments. Comments are kept by an
/// edit. Without the third part a user cannot use SCRAM.
/// </summary>
internal sealed class UsersFile
{
    private readonly List<string> _lines = [];
    private readonly Dictionary<string, UserSecrets> _users = new(StringComparer.Ordinal);

    /// <summary>Users by name; names are case-sensitive.</summary>
    public IReadOnlyDictionary<string, UserSecrets> Users => _users;

    /// <summary>Whether a name can stand in the file.</summary>
    public static bool IsValidName(string name) =>
        name.Length is > 0 and <= 1024 && name[0] != '#' && name.Trim() == name &&
        !name.Contains(':', StringComparison.Ordinal) && !name.Any(char.IsControl);

    /// <summary>Reads the file; one that does not exist has no users. A line that is not right is a <see cref="FormatException"/>.</summary>
    public static UsersFile Load(string path)
    {
        var file = new UsersFile();
        foreach (var line in ReadLines(path))
        {
            file._lines.Add(line);
            if (string.IsNullOrWhiteSpace(line) || line[0] == '#')
            {
                continue;
            }

            if (!TryParse(line, out var name, out var secrets))
            {
                throw new FormatException($"{path}: line {file._lines.Count} is not name:hash or name:hash:scram; " +
                    "correct it, or remove it and add its user again with ./broker user add NAME");
            }

            if (!file._users.TryAdd(name, secrets))
            {
                throw new FormatException($"{path}: line {file._lines.Count} names '{name}' again; remove one of the two");
            }
        }

        return file;
    }

    /// <summary>Adds a user or replaces the password.</summary>
    public void Set(string name, PasswordHash hash, ScramCredential? scram = null)
    {
        Remove(name);
        _lines.Add(scram is null ? $"{name}:{hash}" : $"{name}:{hash}:{scram}");
        _users[name] = new UserSecrets(hash, scram);
    }

    /// <summary>Removes a user; false when there is none of that name.</summary>
    public bool Remove(string name)
    {
        _lines.RemoveAll(line => line.StartsWith(name + ":", StringComparison.Ordinal));
        return _users.Remove(name);
    }

    /// <summary>Replaces the file in one step, readable by its owner only: a reader sees the old users or the new ones.</summary>
    public void Save(string path)
    {
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var temporary = full + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(Encoding.UTF8.GetBytes(string.Concat(_lines.Select(line => line + "\n"))));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, full, overwrite: true);
    }

    // Not asked for before it is read: a folder, or a file in a folder that may not be looked into, would seem not to exist.
    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new UnauthorizedAccessException(
                $"{path}: {(Directory.Exists(path) ? "it is a folder" : "reading it is not allowed")}; make it a file that the broker may read",
                failure);
        }
    }

    private static bool TryParse(string line, out string name, [NotNullWhen(true)] out UserSecrets? secrets)
    {
        var parts = line.Split(':');
        name = parts[0];
        secrets = null;
        if (parts.Length is not (2 or 3) || PasswordHash.Parse(parts[1].Trim()) is not { } hash)
        {
            return false;
        }

        var scram = parts.Length == 3 ? ScramCredential.Parse(parts[2].Trim()) : null;
        secrets = new UserSecrets(hash, scram);
        return IsValidName(name) && (parts.Length == 2 || scram is not null);
    }
}
