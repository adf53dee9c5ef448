System.Console.WriteLine("optc");
