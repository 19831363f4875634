using System.Text;
using Broker.Gateway.Auth.Enhanced;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;

namespace Broker.Gateway.Auth;

/// <summary>The commands <c>user add</c>, <c>user remove</c> and <c>user list</c>. A running broker sees the change within a second.</summary>
internal static class UserCommand
{
    public static int Run(IReadOnlyList<string> arguments, BrokerOptions options)
    {
        var path = UserDirectory.PathOf(options.Auth, options.Data);
        try
        {
            var file = UsersFile.Load(path);
            return arguments switch
            {
                ["list"] => List(file),
                ["add", var name] => Add(file, path, name, options.Auth.ScramIterations),
                ["remove", var name] => Remove(file, path, name),
                _ => throw new StartupException("user takes: add NAME, remove NAME, or list"),
            };
        }
        catch (Exception failure) when (failure is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new StartupException(failure.Message, failure);
        }
    }

    private static int List(UsersFile file)
    {
        foreach (var name in file.Users.Keys.Order(StringComparer.Ordinal))
        {
            Console.WriteLine(name);
        }

        return 0;
    }

    private static int Add(UsersFile file, string path, string name, int scramIterations)
    {
        if (!UsersFile.IsValidName(name) || !SaslPrep.TryPrepare(name, out _))
        {
            throw new StartupException($"'{name}' cannot be a user name: no colon, no '#' in front, no control characters");
        }

        var isNew = !file.Users.ContainsKey(name);
        var password = ReadPassword();
        file.Set(
            name, PasswordHash.Create(Encoding.UTF8.GetBytes(password)), ScramCredential.Create(password, scramIterations));
        file.Save(path);
        Console.WriteLine($"{(isNew ? "added" : "changed")} {name} in {path}");
        return 0;
    }

    private static int Remove(UsersFile file, string path, string name)
    {
        if (!file.Remove(name))
        {
            throw new StartupException($"there is no user {name} in {path}");
        }

        file.Save(path);
        Console.WriteLine($"removed {name} from {path}");
        return 0;
    }

    private static string ReadPassword()
    {
        if (Console.IsInputRedirected)
        {
            return Checked(Console.In.ReadLine());
        }

        var password = Checked(Prompt("Password: "));
        return Prompt("Again: ") == password ? password : throw new StartupException("the two passwords differ");
    }

    private static string Checked(string? password) =>
        string.IsNullOrEmpty(password) ? throw new StartupException("the password is empty") : password;

    private static string Prompt(string label)
    {
        Console.Error.Write(label);
        var text = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                text.Length = Math.Max(0, text.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                text.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return text.ToString();
    }
}
